"""A profile may have fewer or more splits than the thesis's five."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from target_data import make_target

from lib.asformer.cross_validation import baseline_table
from lib.core.chapters import CLAIMING, PREDICTING, atoms, needs
from lib.core.params import load
from lib.data.dataset import open_dataset
from lib.notebook.plots import learning_curves
from lib.notebook.tables import SPREAD, beside
from lib.scoring.claims import chapters
from lib.scoring.published import published_table
from lib.videoclip.target import Target

FEWER = ("data.source=files", "data.splits=4", "notebooks=[2_1_datasets, 2_3_1_public_features]")


def table(splits: int) -> pd.DataFrame:
    row = {name: 80.0 for name in ("accuracy", "edit", "f1@10", "f1@25", "f1@50", "best_accuracy")}
    return baseline_table({number: row | {"best_epoch": 9} for number in range(1, splits + 1)})


@pytest.mark.parametrize("splits", [4, 5, 6])
def test_the_published_table_stands_whole_beside_ours(splits):
    _, values = beside(table(splits), published_table(1), "ours")
    parts = {source: part.set_index("split")["accuracy"] for source, part in values.groupby("source")}
    assert parts["ours"].index.tolist() == [*map(str, range(1, splits + 1)), "mean", SPREAD]
    assert parts["thesis"].index.tolist() == ["1", "2", "3", "4", "5", "mean", SPREAD]
    assert parts["thesis"].drop(SPREAD).to_numpy() == pytest.approx(published_table(1)["accuracy"].to_numpy())
    assert parts["difference"].index.tolist() == parts["ours"].index.tolist()[:-1]
    expected = 0.8 - published_table(1).loc["mean", "accuracy"]
    assert parts["difference"]["mean"] == pytest.approx(expected)
    assert parts["difference"].isna().sum() == max(0, splits - 5)


def test_one_split_stands_beside_the_published_one():
    _, values = beside(table(1), published_table(1), "ours")
    assert values["split"].tolist() == ["1", "1", "1"]


def test_the_graph_has_the_profiles_splits():
    params = load("params/50salads.yaml", FEWER)
    parts = [split for name, split in atoms(params) if name == "2_3_1_public_features"]
    assert parts == ["1", "2", "3", "4", "all"]
    before = needs(("2_3_1_public_features", "all"), params)
    assert [split for name, split in before if name == "2_3_1_public_features"] == parts[:-1]


def test_the_conclusion_waits_for_every_claim():
    """Claims are checked where a chapter collates its splits."""
    params = load("params/demo.yaml")
    before = set(needs(("3_conclusion", "all"), params))
    assert {(name, "all") for name in (*PREDICTING, *CLAIMING)} <= before
    assert {(name, "all") for name in chapters() if name != "3_conclusion"} <= before


def test_every_split_of_many_can_be_told_apart():
    history = pd.DataFrame({"split": np.repeat(range(1, 9), 2), "epoch": [1, 2] * 8, "loss": 1.0})
    figure, ax = plt.subplots()
    learning_curves(history, "loss", ax, "loss")
    looks = {(line.get_color(), line.get_linestyle()) for line in ax.get_lines()}
    assert len(looks) == 9, "eight splits and their mean"
    plt.close(figure)


def test_the_target_set_is_tested_in_the_splits_that_there_are(tmp_path):
    target = make_target(tmp_path / "set")
    assert list(target.tested()) == [(1, "rgb-09-1"), (1, "rgb-10-1")]
    folder = target.dataset.root / "splits"
    for side in ("train", "test"):
        (folder / f"{side}.split2.bundle").write_text((folder / f"{side}.split1.bundle").read_text())
    again = Target(open_dataset(target.dataset.root, None, target.dataset.fps), target.folder)
    assert [split for split, _ in again.tested()] == [1, 1, 2, 2]
