"""Figures with hover values carry the numbers of the printed ones."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from bokeh.models import Line

from lib.notebook import hover
from lib.notebook.hover import as_json, panels_html, write_assets
from lib.notebook.plots import PRETRAINING_LOSSES


def history(splits: int = 3, epochs: int = 4) -> pd.DataFrame:
    rows = [
        {
            "split": split,
            "epoch": epoch,
            "loss": 1 / epoch + split / 7,
            "accuracy": 10.0 * epoch if epoch > 1 else np.nan,
        }
        for split in range(1, splits + 1)
        for epoch in range(1, epochs + 1)
    ]
    return pd.DataFrame(rows)


def confusion(counts: list[list[int]]) -> pd.DataFrame:
    names = ["cut_tomato", "add_oil", "mix_dressing"]
    return pd.DataFrame(counts, pd.Index(names, name="true"), pd.Index(names, name="predicted"))


def source_of(panel) -> dict:
    return panel.renderers[0].data_source.data


def test_learning_curves_hold_all_splits_and_the_mean():
    table = history()
    panels = hover.learning_curves(table, {"loss": "training loss", "accuracy": "accuracy, %"})
    assert list(panels) == ["training loss", "accuracy, %"]
    data = source_of(panels["training loss"])
    assert data["epoch"] == [1, 2, 3, 4]
    assert data["split 2"] == pytest.approx(table.query("split == 2")["loss"].tolist(), rel=1e-4)
    assert data["mean"] == pytest.approx(table.groupby("epoch")["loss"].mean().tolist(), rel=1e-4)
    assert source_of(panels["accuracy, %"])["epoch"] == [2, 3, 4]  # the first was not tested


def test_hover_of_curves_names_every_line():
    panel = hover.learning_curves(history(), {"loss": "training loss"})["training loss"]
    (told,) = [tool.tooltips for tool in panel.tools]
    assert [name for name, _ in told] == ["epoch", "split 1", "split 2", "split 3", "mean"]


def test_one_split_has_no_mean():
    panel = hover.learning_curves(history(splits=1), {"loss": "loss"})["loss"]
    assert {drawn.glyph.y for drawn in panel.renderers if drawn.glyph.line_alpha} == {"split 1"}


def test_short_curves_are_marked():
    """A curve of one epoch would be no line at all."""
    marked = {}
    for epochs in (1, hover.MARKED, hover.MARKED + 1):
        panel = hover.learning_curves(history(epochs=epochs), {"loss": "loss"})["loss"]
        marked[epochs] = any(not isinstance(drawn.glyph, Line) for drawn in panel.renderers)
    assert marked == {1: True, hover.MARKED: True, hover.MARKED + 1: False}


def test_titles_keep_panels_of_the_same_label_apart():
    both = hover.learning_curves(history(), {"loss": "loss"}, "here") | hover.learning_curves(
        history(), {"loss": "loss"}, "thesis"
    )
    assert list(both) == ["here, loss", "thesis, loss"]
    assert [panel.title.text for panel in both.values()] == ["here", "thesis"]


def test_labelled_curves_of_different_lengths_share_an_axis():
    curves = {"own": pd.Series([1.0, 2.0], [0, 1]), "public": pd.Series([5.0, 6.0], [1, 2])}
    panel = hover.labelled_curves(curves, "accuracy")["accuracy"]
    own, public, told = (drawn.data_source.data for drawn in panel.renderers if isinstance(drawn.glyph, Line))
    assert own == {"epoch": [0, 1], "own": [1, 2]}  # no gap where only the other was measured
    assert public == {"epoch": [1, 2], "public": [5, 6]}
    assert told["epoch"] == [0, 1, 2]
    np.testing.assert_array_equal(told["own"], [1, 2, np.nan])
    np.testing.assert_array_equal(told["public"], [np.nan, 5, 6])


def test_pretraining_curves_are_the_three_losses():
    table = pd.DataFrame({"epoch": [0.0, 0.5], **{name: [2.0, 1.0] for name in PRETRAINING_LOSSES}})
    data = source_of(hover.pretraining_curves(table)["contrastive loss"])
    assert set(PRETRAINING_LOSSES.values()) < set(data)


def test_confusions_hold_counts_and_shares_of_each_split_and_the_sum():
    matrices = {1: confusion([[8, 2, 0], [0, 0, 0], [1, 0, 3]]), 2: confusion([[2, 0, 0], [0, 5, 0], [0, 0, 1]])}
    panels = hover.confusions(matrices)
    assert list(panels) == ["split 1", "split 2", "all splits"]
    data = source_of(panels["split 1"])
    cells = dict(zip(zip(data["true"], data["predicted"], strict=True), data["seconds"], strict=True))
    assert cells == {
        ("cut_tomato", "cut_tomato"): 8,
        ("cut_tomato", "add_oil"): 2,
        ("mix_dressing", "cut_tomato"): 1,
        ("mix_dressing", "mix_dressing"): 3,
    }
    assert data["share"] == [80, 20, 25, 75]
    assert sum(source_of(panels["all splits"])["seconds"]) == 22
    assert list(panels["split 1"].y_range.factors) == ["mix_dressing", "add_oil", "cut_tomato"]  # the first on top


def test_a_row_of_one_split_is_not_a_sum():
    assert list(hover.confusions({4: confusion([[1, 0, 0], [0, 1, 0], [0, 0, 1]])})) == ["split 4"]


def test_the_html_is_whole_json_and_hidden_until_the_script_comes():
    text = panels_html(hover.learning_curves(history(), {"loss": "a </script> in a label"}))
    found = re.fullmatch(r'<div class="interactive" hidden><script type="application/json">(.*)</script></div>', text)
    assert found
    assert "</script>" not in found[1]
    (panel,) = json.loads(found[1])
    assert panel["title"] == "a </script> in a label"
    assert panel["item"]["root_id"]


def test_json_stays_small():
    """120 epochs of five splits: the thesis's longest curves."""
    panels = hover.learning_curves(history(splits=5, epochs=120), {"loss": "loss", "accuracy": "accuracy"})
    assert len(panels_html(panels)) < 45_000
    assert as_json({"a": 0.1}) == '{"a":0.1}'


def test_assets_are_files_of_the_site(tmp_path):
    write_assets(tmp_path / "_static")
    names = {path.name for path in (tmp_path / "_static").iterdir()}
    assert names == {"bokeh.min.js", "interactive.js", "interactive.css"}
    assert (tmp_path / "_static" / "bokeh.min.js").stat().st_size > 1_000_000
