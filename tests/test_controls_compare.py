"""Intervals and differences of the controls: values are those of lib.scoring.metrics, equal methods do not differ."""

import numpy as np
import pytest
from target_data import CLASSES, TEST, make_target

from lib.beyond.controls.intervals import differences, estimates, scores
from lib.data.predictions import write_prediction
from lib.scoring.folders import MEASURES, Cell, pairs_of, video_items
from lib.scoring.metrics import score


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """A target set and three seeds' predictions, noisier from seed to seed."""
    root = tmp_path_factory.mktemp("controls")
    dataset, rng, cells = make_target(root / "set").dataset, np.random.default_rng(0), []
    for seed in range(3):
        for video in TEST:
            names = np.array(dataset.names(video))
            wrong = rng.random(len(names)) < 0.1 + 0.1 * seed
            names[wrong] = rng.choice(CLASSES, wrong.sum())
            write_prediction(root / str(seed) / f"{video}.txt", names.tolist())
        cells.append(Cell("noisy", 1, root / str(seed), seed))
    return dataset, cells


@pytest.mark.parametrize("convention", ["mstcn", "asformer", "lea"])
@pytest.mark.parametrize("ignore", [(), ("action_end",)])
def test_values_are_the_metrics_of_the_seeds(predicted, convention, ignore):
    dataset, cells = predicted
    found = scores(np.stack(list(video_items(dataset, cells, convention, ignore).values())))
    each = [score(pairs_of(dataset, cell).values(), convention, ignore) for cell in cells]
    for number, measure in enumerate(MEASURES):
        assert found[:, number] == pytest.approx([scores[measure] for scores in each])


def test_intervals_hold_the_value_and_equal_methods_do_not_differ(predicted):
    dataset, cells = predicted
    methods = {
        "all": video_items(dataset, cells, "mstcn", ()),
        "best": video_items(dataset, cells[:1], "mstcn", ()),
        "worst": video_items(dataset, cells[2:], "mstcn", ()),
    }
    table = estimates(methods, resamples=200)
    assert table["seeds"].tolist() == [3, 1, 1] and table["videos"].tolist() == [2, 2, 2]
    for measure in MEASURES:
        assert (table[f"{measure} low"] <= table[measure]).all() and (table[measure] <= table[f"{measure} high"]).all()
    asked = {"same": ("best", "best"), "better": ("best", "worst"), "worse": ("worst", "best"), "no": ("best", "none")}
    found = differences(methods, asked, resamples=200)
    assert found.index.tolist() == ["same", "better", "worse"]
    assert found["accuracy direction"].tolist() == ["inconclusive", "higher", "lower"]
    assert found.loc["same", "accuracy videos needed"] == np.inf, "no number of videos finds nothing"
    assert found.loc["better", "accuracy"] == pytest.approx(-found.loc["worse", "accuracy"])
