"""Prediction folders in all protocols: real MS-TCN predictions, sampled seconds, seeds, the thesis's units."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.paths import ROOT
from lib.data.dataset import open_dataset
from lib.data.predictions import PredictionError
from lib.data.profile import open_profile
from lib.scoring.folders import COLUMNS, Cell, pairs_of, score_methods
from lib.scoring.metrics import metric_table, score
from lib.scoring.seconds import SECONDS, at_one_fps, by_split, seconds_table, to_frames


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


def test_real_predictions_in_all_protocols(shared):
    """facts: accuracy 77.45 by frames, .774 by seconds; edit score 67.0 by frames, raw distance 87.3 s."""
    dataset = open_dataset(shared / "data" / "50salads", None, fps=30)
    cells = [Cell("mstcn", 1, shared / "data" / "50salads_predictions", seed) for seed in (0, 1)]
    profile = open_profile(ROOT / "params" / "smoke.yaml")
    seeded = score_methods(profile, dataset, cells, ("asformer", SECONDS))
    assert tuple(seeded) == (*COLUMNS, "seed")
    table = seeded[seeded["seed"] == 0]
    whole = table[table["video"] == "all"].set_index(["protocol", "metric"])["value"]
    assert whole["asformer"]["accuracy"] == pytest.approx(77.45, abs=0.005)
    assert whole["asformer"]["edit"] == pytest.approx(67.00, abs=0.005)
    assert whole[SECONDS]["raw_edit"] == pytest.approx(87.3, abs=3), "the thesis's targets move some seconds"
    assert abs(whole[SECONDS]["accuracy"] - 77.4) < 1.5
    frames = metric_table(pairs_of(dataset, cells[0]), "asformer")
    kept = table.loc[table["protocol"] == "asformer", list(frames)].reset_index(drop=True)
    pd.testing.assert_frame_equal(frames, kept)
    row = by_split(table, "mstcn", SECONDS, ["accuracy", "raw_edit"])
    assert row.index.tolist() == ["1"] and row.loc["1", "accuracy"] == pytest.approx(whole[SECONDS]["accuracy"] / 100)
    with pytest.raises(PredictionError, match="cannot be read"):
        score_methods(profile, dataset, [cells[0]._replace(folder=shared / "data")])


def test_a_perfect_prediction_is_perfect_by_seconds():
    truth = ["cut"] * 8 + ["mix"] * 8
    assert set(score([(truth, truth)]).values()) == {100}
    values = seconds_table({"a": (truth, truth)}, 4, "cut").set_index(["video", "metric"])["value"]
    assert values.drop("raw_edit", level="metric").eq(100).all() and values.xs("raw_edit", level="metric").eq(0).all()


def test_the_mean_is_that_of_the_splits():
    rows = [("x", "m", split, "all", SECONDS, "accuracy", value) for split, value in ((1, 40.0), (2, 60.0))]
    found = by_split(pd.DataFrame(rows, columns=COLUMNS), "m", SECONDS, ["accuracy"])["accuracy"]
    assert found.to_dict() == {"1": 0.4, "2": 0.6, "mean": pytest.approx(0.5)} and np.isfinite(found).all()
