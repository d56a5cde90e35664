"""Segmental decoding: against every path of small cases, and what holds of any case."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.beyond.controls.decoding import DecodingError, SegmentModel, decode, learn_segments, objective
from lib.scoring.labels import segments


def random_case(seed: int, steps: int, classes: int, longest: int) -> tuple[np.ndarray, SegmentModel]:
    rng = np.random.default_rng(seed)
    transition = np.log(rng.dirichlet(np.ones(classes), classes))
    np.fill_diagonal(transition, -np.inf)
    start, length = np.log(rng.dirichlet(np.ones(classes))), np.log(rng.dirichlet(np.ones(longest), classes)).T
    return rng.normal(size=(steps, classes)), SegmentModel(start, transition, length)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("steps", "classes", "longest"), [(1, 2, 1), (6, 2, 3), (6, 3, 6), (5, 4, 2)])
def test_equals_the_best_of_all_paths(seed, steps, classes, longest):
    scores, model = random_case(seed, steps, classes, longest)
    paths = [np.array(path) for path in product(range(classes), repeat=steps)]
    values = [objective(path, scores, model, 0.7) for path in paths]
    assert decode(scores, model, 0.7).tolist() == paths[int(np.argmax(values))].tolist()


cases = st.tuples(st.integers(0, 10_000), st.integers(1, 40), st.integers(2, 6), st.integers(1, 12))


@settings(max_examples=60)
@given(cases, st.floats(0, 3))
def test_no_other_path_is_better_and_lengths_hold(case, weight):
    scores, model = random_case(*case)
    path = decode(scores, model, weight)
    assert np.diff([*segments(path).starts, len(path)]).max() <= len(model.length)
    found = objective(path, scores, model, weight)
    assert np.isfinite(found)
    rng = np.random.default_rng(case[0])
    for other in (scores.argmax(axis=1), rng.integers(0, case[2], case[1]), np.roll(path, 1)):
        assert found >= objective(other, scores, model, weight) - 1e-9


@settings(max_examples=30)
@given(cases)
def test_a_constant_a_step_and_the_names_of_classes_do_not_matter(case):
    scores, model = random_case(*case)
    path, rng = decode(scores, model), np.random.default_rng(1)
    assert decode(scores + rng.normal(size=(len(scores), 1)), model).tolist() == path.tolist()
    order = rng.permutation(case[2])
    renamed = SegmentModel(model.start[order], model.transition[np.ix_(order, order)], model.length[:, order])
    assert order[decode(scores[:, order], renamed)].tolist() == path.tolist()


def test_a_heavy_weight_gives_the_argmax_and_a_light_one_smooths():
    truth = np.repeat([0, 1, 2], 10)
    model = learn_segments([truth] * 8, classes=3)
    scores = np.log(np.full((30, 3), 0.2) + 0.4 * np.eye(3)[truth])
    scores[4] = np.log([0.2, 0.2, 0.6])  # one second of another class
    assert decode(scores, model, 1000).tolist() == scores.argmax(axis=1).tolist()
    assert decode(scores, model, 1).tolist() == truth.tolist()


def test_learnt_probabilities_are_probabilities_and_follow_the_counts():
    videos = [np.repeat([0, 1, 2], [3, 9, 4]), np.repeat([0, 1, 0], [4, 11, 3])]
    model = learn_segments(videos, classes=4)
    assert np.exp(model.start).sum() == pytest.approx(1)
    assert np.exp(model.transition).sum(axis=1) == pytest.approx(np.ones(4))
    assert np.exp(model.length).sum(axis=0) == pytest.approx(np.ones(4))
    assert np.exp(model.transition[0]) == pytest.approx(np.array([0, 3, 1, 1]) / 5)  # two seen, one added to each
    often = learn_segments(videos * 20, classes=4)
    assert 9 <= 1 + often.length[:, 1].argmax() <= 11
    assert np.isfinite(often.length[:, 3]).all()  # never seen: the lengths of all


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: decode(np.zeros((4, 3)), random_case(0, 1, 2, 4)[1]), r"shape \(4, 3\); expected \(steps, 2\)"),
        (lambda: decode(np.full((4, 2), np.nan), random_case(0, 1, 2, 4)[1]), "4 of 4 steps, first in step 0"),
        (lambda: decode(np.zeros((9, 1)), learn_segments([np.zeros(3, int)], 1)), "no path: 9 steps, segments of at"),
        (lambda: learn_segments([np.array([0, 5])], classes=3), "class 5 in a training sequence of 3 classes"),
        (lambda: learn_segments([], classes=3), "at least one training sequence"),
    ],
)
def test_faults_are_named(call, words):
    with pytest.raises(DecodingError, match=words):
        call()
