"""Both protocols on the same predictions: spread and sampled seconds, real MS-TCN predictions, the thesis's units."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.data.dataset import open_dataset
from lib.data.predictions import prediction_pairs
from lib.scoring.metrics import metric_table
from lib.scoring.seconds import SECONDS, at_one_fps, by_split, score_both, to_frames


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 30))
def test_seconds_spread_over_frames_come_back(seconds, fps):
    frames = to_frames(seconds, len(seconds) * fps, fps)
    assert at_one_fps(frames, fps).tolist() == seconds
    assert [frames[n * fps : (n + 1) * fps].tolist() for n in range(len(seconds))] == [[k] * fps for k in seconds]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9), st.integers(1, 300), st.floats(1, 60))
def test_every_frame_gets_a_label(seconds, frames, fps):
    spread = to_frames(seconds, frames, fps)
    assert len(spread) == frames and spread[0] == seconds[0]
    assert frames < fps * len(seconds) or spread[-1] == seconds[-1]


def test_real_predictions_in_both_protocols(shared):
    """facts: accuracy 77.45 a frame, .774 a second; edit score 67.0 a frame, raw distance 87.3 s."""
    dataset = open_dataset(shared / "data" / "50salads", None, fps=30)
    pairs = prediction_pairs(shared / "data" / "50salads_predictions", dataset, dataset.split(1)[1])
    about = {"section": "x", "method": "mstcn", "split": 1}
    table = score_both(pairs, 30, dataset.classes[0], convention="asformer", **about)
    whole = table[table["video"] == "all"].set_index(["protocol", "metric"])["value"]
    assert whole["asformer"]["accuracy"] == pytest.approx(77.45, abs=0.005)
    assert whole["asformer"]["edit"] == pytest.approx(67.00, abs=0.005)
    assert whole[SECONDS]["raw_edit"] == pytest.approx(87.3, abs=3), "the thesis's targets move some seconds"
    assert abs(whole[SECONDS]["accuracy"] - 77.4) < 1.5
    frames = metric_table(pairs, convention="asformer", **about)
    pd.testing.assert_frame_equal(frames, table[table["protocol"] == "asformer"].reset_index(drop=True))
    row = by_split(table, "mstcn", SECONDS, ["accuracy", "raw_edit"])
    assert row.index.tolist() == ["1"] and row.loc["1", "accuracy"] == pytest.approx(whole[SECONDS]["accuracy"] / 100)


def test_a_perfect_prediction_is_perfect_in_both():
    truth = ["cut"] * 8 + ["mix"] * 8
    table = score_both({"a": (truth, truth)}, 4, "cut", section="x", method="m", split=2, convention="mstcn")
    values = table.set_index(["protocol", "video", "metric"])["value"]
    assert values.drop("raw_edit", level="metric").eq(100).all() and values.xs("raw_edit", level="metric").eq(0).all()


def test_the_mean_is_that_of_the_splits():
    rows = [("x", "m", split, "all", SECONDS, "accuracy", value) for split, value in ((1, 40.0), (2, 60.0))]
    table = pd.DataFrame(rows, columns=["section", "method", "split", "video", "protocol", "metric", "value"])
    found = by_split(table, "m", SECONDS, ["accuracy"])["accuracy"]
    assert found.to_dict() == {"1": 0.4, "2": 0.6, "mean": pytest.approx(0.5)} and np.isfinite(found).all()
