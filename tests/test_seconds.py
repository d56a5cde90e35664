"""Scoring at one label per second, as the thesis scored VideoCLIP."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.scoring.labels import LabelError
from lib.scoring.seconds import at_one_fps, raw_edit_distance, second_targets

labels_at_30_fps = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 90)), min_size=1, max_size=9).map(
    lambda runs: np.concatenate([np.full(frames, label) for label, frames in runs])
)


def reference_targets(labels, uncovered, seconds):
    """Second by second: the last segment whose span in whole seconds holds it."""
    borders = [0, *(np.flatnonzero(np.diff(labels)) + 1), len(labels)]
    spans = [(a // 30, -(-(b - 1) // 30), labels[a]) for a, b in pairwise(borders)]
    return [next((label for a, b, label in reversed(spans) if a <= second < b), uncovered) for second in range(seconds)]


@given(labels_at_30_fps, st.integers(1, 30))
def test_targets_equal_the_reference(labels, seconds):
    assert second_targets(labels, 30, uncovered=-1, seconds=seconds).tolist() == reference_targets(labels, -1, seconds)


@given(labels_at_30_fps)
def test_lengths(labels):
    assert len(second_targets(labels, 30, uncovered=0)) == -(-len(labels) // 30)
    assert len(at_one_fps(labels, 30)) == (len(labels) + 14) // 30


def test_raw_edit_distance_is_bounded_by_the_wrong_seconds():
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, 5, (2, 300))
    distance = raw_edit_distance([(prediction, truth)])
    assert 0 < distance <= (prediction != truth).sum()
    assert raw_edit_distance([(np.append(truth, 3), truth)]) == 0, "a longer prediction is cut"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: at_one_fps(["cut"] * 9, fps=0.5), "at least one"),
        (lambda: at_one_fps([], fps=30), "no frames"),
        (lambda: raw_edit_distance([]), "no videos"),
        (lambda: raw_edit_distance([(["cut"], ["cut", "mix"])]), "pair 1: 1 predicted seconds for 2"),
    ],
)
def test_errors(call, message):
    with pytest.raises(LabelError, match=message):
        call()
