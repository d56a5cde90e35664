"""Confusion matrices: against counting by hand, on real predictions, as figures."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from lib.core.paths import Outputs
from lib.data.dataset import open_dataset, write_data_set
from lib.data.predictions import PredictionError, write_prediction
from lib.notebook.figures import ABSENT, draw_confusions
from lib.scoring.confusion import (
    confused_pairs,
    confusion_matrix,
    long_table,
    predicted_methods,
    split_matrices,
)
from lib.scoring.labels import LabelError

CLASSES = ["cut_tomato", "cut_cheese", "add_oil", "action_end"]
names = st.sampled_from(CLASSES)
videos = st.lists(st.lists(st.tuples(names, names), min_size=1, max_size=30), min_size=1, max_size=4).map(
    lambda labels: [tuple(map(list, zip(*video, strict=True))) for video in labels]
)


@given(videos)
def test_counts_equal_those_by_hand(pairs):
    found = confusion_matrix(pairs, CLASSES)
    counts = Counter((t, p) for prediction, truth in pairs for p, t in zip(prediction, truth, strict=True))
    assert found.to_numpy().tolist() == [[counts[t, p] for p in CLASSES] for t in CLASSES]
    assert (found.index.name, found.columns.name) == ("true", "predicted")


def test_a_longer_prediction_is_cut():
    assert confusion_matrix([(["a", "b", "b"], ["a", "b"])], ["a", "b"]).to_numpy().tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "no seconds to count"),
        ([(["a"], ["a"]), (["a"], ["a", "b"])], "pair 2: 1 predicted seconds for 2"),
        ([(["a"], ["c"])], "class 'c' is not among the 2 classes"),
        ([(["c"], ["a"])], "class 'c' is not among the 2 classes"),
    ],
)
def test_errors(pairs, message):
    with pytest.raises(LabelError, match=message):
        confusion_matrix(pairs, ["a", "b"])


@pytest.fixture
def out(tmp_path):
    return Outputs(str(tmp_path / "outputs"))


def test_splits_are_counted_in_seconds(out, tmp_path):
    labels = {"a": [0] * 25 + [1] * 10, "b": [1] * 10}  # the middles of a's seconds: cut, cut, mix, mix
    write_data_set(tmp_path, ["cut", "mix"], labels, {1: ["b"], 2: ["a"]})
    dataset = open_dataset(tmp_path, None, fps=10)
    write_prediction(out.predictions("own", 1) / "b.txt", ["cut"] * 11)
    write_prediction(out.predictions("own", 2) / "a.txt", ["cut"] * 16 + ["mix"] * 19)
    matrices = split_matrices(out, dataset, (1, 2), "own")
    assert {split: matrix.to_numpy().tolist() for split, matrix in matrices.items()} == {
        1: [[0, 0], [1, 0]],
        2: [[2, 0], [0, 1]],
    }
    with pytest.raises(PredictionError, match="public"):
        split_matrices(out, dataset, (1, 2), "public")


def test_which_methods_have_predictions(out):
    methods = {"own": "zero_own", "public": "zero_public"}
    with pytest.raises(PredictionError, match="neither zero_own nor zero_public; run their notebooks"):
        predicted_methods(out, methods)
    write_prediction(out.predictions("zero_public", 3) / "a.txt", ["cut"])
    assert predicted_methods(out, methods) == {"public": "zero_public"}


def matrix_of(cells, classes=CLASSES):
    """A matrix with these seconds: (true, predicted) -> seconds."""
    matrix = pd.DataFrame(0, classes, classes, dtype=np.int64).rename_axis(index="true", columns="predicted")
    for cell, seconds in cells.items():
        matrix.loc[cell] = seconds
    return matrix


TWO = {
    1: matrix_of({("cut_tomato", "cut_tomato"): 6, ("cut_tomato", "cut_cheese"): 2, ("add_oil", "action_end"): 3}),
    4: matrix_of({("cut_cheese", "cut_tomato"): 5, ("add_oil", "action_end"): 4, ("add_oil", "add_oil"): 4}),
}


def test_long_table():
    table = long_table(TWO).set_index(["split", "true", "predicted"])
    assert len(table) == 3 * 16
    assert table.loc[(1, "cut_tomato", "cut_cheese")].tolist() == [2, 0.25]
    assert table.loc[(4, "add_oil", "action_end")].tolist() == [4, 0.5]
    assert table.loc[("all", "add_oil", "action_end")].tolist() == [7, 7 / 11]
    assert np.isnan(table.loc[(4, "cut_tomato", "cut_tomato"), "share"])
    assert set(long_table({4: TWO[4]})["split"]) == {4}, "one split is not summed"


def test_confused_pairs_are_ordered_in_each_split():
    found = confused_pairs(TWO, most=1)
    assert found[["split", "true", "predicted", "seconds", "kinds"]].to_numpy().tolist() == [
        [1, "add_oil", "action_end", 3, "neutral"],
        [4, "cut_cheese", "cut_tomato", 5, "shared verb"],
        ["all", "add_oil", "action_end", 7, "neutral"],
    ]
    everything = confused_pairs(TWO, most=99)
    assert len(everything) == 2 + 2 + 3, "no right seconds, no empty cells"
    for _, part in everything.groupby("split"):
        assert all(a >= b for a, b in pairwise(part["seconds"]))


@pytest.mark.parametrize(("splits", "panels"), [((1, 2, 3, 4, 5), 6), ((2,), 1), ((1, 2), 3)])
def test_all_splits_are_large_and_every_split_is_on_their_scale(splits, panels):
    figure = draw_confusions(dict.fromkeys(splits, TWO[1]))
    large, bar, *small = figure.axes
    assert 1 + len(small) == panels
    assert large.get_title() == ("all splits" if small else f"split {splits[0]}")
    assert [ax.get_title() for ax in small] == [f"split {split}" for split in splits if small]
    assert {image.get_clim() for image in (large.collections[0], *(ax.images[0] for ax in small))} == {(0, 1)}
    assert bar.get_ylim() == (0, 1)
    assert [label.get_text() for label in large.yaxis.get_ticklabels()] == [f"{n}  {k}" for k, n in enumerate(CLASSES)]
    assert [label.get_text() for label in large.xaxis.get_ticklabels()] == ["0", "1", "2", "3"]
    plt.close(figure)


def test_shares_are_drawn_and_a_class_without_seconds_is_not_zero():
    figure = draw_confusions({1: TWO[1]})
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["75", "25", "100"]
    drawn = ax.collections[0].get_array().reshape(4, 4)
    assert np.ma.getmaskarray(drawn).all(axis=1).tolist() == [False, True, False, True]
    assert drawn[0].tolist() == [0.75, 0.25, 0, 0]
    assert ax.get_facecolor() == pytest.approx(plt.matplotlib.colors.to_rgba(ABSENT))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["no true seconds"]
    plt.close(figure)
