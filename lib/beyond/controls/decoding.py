"""Segmental (semi-Markov) Viterbi: the best segmentation by class scores, class lengths and class order (4.2).

A path is a sequence of segments. Its objective is the sum over segments of

    weight * sum of the segment's scores + log p(length | class) + log p(class | class before)

so a label changes only where the scores pay for another segment. Richard and Gall (CVPR 2016) decode like this with
Poisson lengths; here lengths are log-normal, since those of actions spread more than a Poisson's. Lengths and order are
counted on training videos. The weight of the scores is chosen by F1@50 on the people who also chose the epoch. With T
steps, K classes and segments of at most L steps, the cost is O(T (L K + K^2)) time and O(T K) memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from lib.beyond.controls.design import Key, Run
from lib.beyond.controls.protocol import parts
from lib.core.settings import Params
from lib.data.dataset import Dataset, open_dataset
from lib.data.predictions import write_prediction
from lib.data.profile import Profile
from lib.scoring.labels import segments
from lib.scoring.metrics import score
from lib.scoring.seconds import to_frames

UNIFORM = 1e-3  # share of the lengths' probability that is spread evenly, so that no length is impossible
SMALLEST_SPREAD = 0.25  # of log lengths: a class seen with one length alone may have others


class DecodingError(ValueError):
    """Scores or a model that cannot be decoded; the message is one line."""


@dataclass(frozen=True)
class SegmentModel:
    """Log-probabilities of segments."""

    start: np.ndarray  # of the first segment's class, (K,)
    transition: np.ndarray  # of the next segment's class, (K, K), row = before; its diagonal is -inf
    length: np.ndarray  # of a segment of d = 1 … L steps, (L, K), row d - 1


def learn_segments(sequences: Sequence[np.ndarray], classes: int, longest: int | None = None) -> SegmentModel:
    """Count lengths and order of the segments of training videos.

    Args:
        sequences: class numbers of each video's steps.
        classes: K; a class that never occurs gets the lengths of all classes together.
        longest: L, steps; by default twice the longest segment seen.

    Raises DecodingError: no sequences, or a class number outside 0 … K - 1.

    >>> model = learn_segments([np.array([0, 0, 0, 1, 1])], classes=2)
    >>> model.length.shape, decode(np.zeros((5, 2)), model).tolist()
    ((6, 2), [0, 0, 0, 1, 1])
    """
    if not sequences:
        raise DecodingError("at least one training sequence is needed")
    # one is added to each count of a first class and of a transition
    start, order = np.ones(classes), np.ones((classes, classes))
    found: list[tuple[int, int]] = []
    for sequence in sequences:
        runs = segments(sequence)
        if runs.labels.min() < 0 or runs.labels.max() >= classes:
            raise DecodingError(f"class {runs.labels.max()} in a training sequence of {classes} classes")
        start[runs.labels[0]] += 1
        np.add.at(order, (runs.labels[:-1], runs.labels[1:]), 1)
        found += zip(runs.labels.tolist(), (runs.ends - runs.starts).tolist(), strict=True)
    np.fill_diagonal(order, 0)
    labels, lengths = np.array(found).T
    longest = 2 * int(lengths.max()) if longest is None else longest
    with np.errstate(divide="ignore", invalid="ignore"):
        transition = np.log(order / order.sum(axis=1, keepdims=True))
    transition[~np.isfinite(transition)] = -np.inf  # the diagonal; and all, where there is one class
    length = np.stack([_log_lengths(np.log(lengths), labels == k, longest) for k in range(classes)], axis=1)
    return SegmentModel(np.log(start / start.sum()), transition, length)


def decode(scores: np.ndarray, model: SegmentModel, weight: float = 1.0) -> np.ndarray:
    """Find the path with the highest objective: class numbers (T,).

    Args:
        scores: (T, K), preferably log-probabilities; a constant added to a step's scores changes nothing.
        weight: of the scores. Those of neighbouring steps repeat each other, so a weight of 1 overrates them.

    Raises DecodingError: scores that do not fit the model or are not finite, or no path (one class, T > L).
    """
    scores = _checked(scores, model) * weight
    steps, classes = scores.shape
    total = np.concatenate([np.zeros((1, classes)), scores.cumsum(axis=0)])  # (T + 1, K), sums before a step
    enter = np.full((steps, classes), -np.inf)  # best path up to a step, given that a segment of k begins there
    came_from = np.zeros((steps, classes), np.int64)  # class before it
    lasted = np.zeros((steps + 1, classes), np.int64)  # length of the best segment of k that ends before a step
    enter[0] = model.start
    for end in range(1, steps + 1):
        first = max(0, end - len(model.length))
        begun = enter[first:end] - total[first:end] + model.length[: end - first][::-1]  # (d, K), longest first
        best = begun.argmax(axis=0)
        lasted[end] = end - first - best
        left = begun[best, np.arange(classes)] + total[end]  # (K,) best path whose last segment k ends here
        if end < steps:
            ways = left[:, None] + model.transition
            came_from[end] = ways.argmax(axis=0)
            enter[end] = ways[came_from[end], np.arange(classes)]
    label = int(left.argmax())
    if left[label] == -np.inf:
        raise DecodingError(f"no path: {steps} steps, segments of at most {len(model.length)}, {classes} class")
    path, end = np.empty(steps, np.int64), steps
    while end:
        begin = end - int(lasted[end, label])
        path[begin:end] = label
        label, end = int(came_from[begin, label]), begin
    return path


def objective(labels: np.ndarray, scores: np.ndarray, model: SegmentModel, weight: float = 1.0) -> float:
    """Compute the objective of any path, which `decode` maximizes; -inf if a segment is longer than L."""
    scores, runs = _checked(scores, model) * weight, segments(labels)
    lengths = runs.ends - runs.starts
    if lengths.max() > len(model.length):
        return -np.inf
    value = scores[np.arange(len(scores)), labels].sum() + model.length[lengths - 1, runs.labels].sum()
    return float(value + model.start[runs.labels[0]] + model.transition[runs.labels[:-1], runs.labels[1:]].sum())


def _log_lengths(log_lengths: np.ndarray, own: np.ndarray, longest: int) -> np.ndarray:
    """Log-probabilities of 1 … L steps, (L,): log-normal; all classes' mean and variance count as one segment more."""
    count, mean, variance = own.sum(), log_lengths.mean(), log_lengths.var()
    if count:
        mean = (log_lengths[own].sum() + mean) / (count + 1)
        variance = (np.square(log_lengths[own] - mean).sum() + variance) / (count + 1)
    edges = np.log(np.arange(longest + 1) + 0.5)
    edges[0] = -np.inf  # the first bin begins at nothing
    mass = np.diff(stats.norm.cdf(edges, mean, max(float(np.sqrt(variance)), SMALLEST_SPREAD)))
    mass = mass / mass.sum() if mass.sum() > 0 else np.full(longest, 1 / longest)
    return np.log((1 - UNIFORM) * mass + UNIFORM / longest)


def _checked(scores: np.ndarray, model: SegmentModel) -> np.ndarray:
    scores = np.asarray(scores, float)
    if scores.ndim != 2 or not len(scores) or scores.shape[1] != len(model.start):
        raise DecodingError(f"scores of shape {scores.shape}; expected (steps, {len(model.start)})")
    bad = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if bad.size:
        raise DecodingError(f"NaN or infinite scores in {bad.size} of {len(scores)} steps, first in step {bad[0]}")
    return scores


def write_decoded(profile: Profile, dataset: Dataset, root: Path, runs: Mapping[Key, Run]) -> pd.DataFrame:
    """Write both predictions of every run: the best classes as control_<name>, the path as control_<name>_viterbi.

    `root`: the data set of the seconds (lib.beyond.controls.protocol).

    Returns one row per run: method, split, seed, epoch, weight (of the scores), cpu_seconds.
    """
    seconds, people = open_dataset(root, None, 1.0), profile.params.controls.validation_people
    # no segment is longer, and every video can be decoded
    longest = max(len(seconds.labels(video)) for video in seconds.videos) + 1

    @cache
    def learnt(split: int) -> SegmentModel:
        train, _, _ = parts(seconds, split, people)
        return learn_segments([seconds.labels(video) for video in train], len(seconds.classes), longest)

    rows = []
    for (name, split, seed), run in runs.items():
        _, validation, test = parts(seconds, split, people)
        weight = _best_weight(run, learnt(split), seconds, validation, profile.params)
        for video in test:
            scores = run.scores[video]
            labels = {"": scores.argmax(axis=1), "_viterbi": decode(scores, learnt(split), weight)}
            for ending, chosen in labels.items():
                frames = to_frames(chosen, len(dataset.labels(video)), dataset.fps).tolist()
                path = profile.out.predictions(f"control_{name}{ending}", split, seed) / f"{video}.txt"
                write_prediction(path, [dataset.classes[label] for label in frames])
        rows.append([name, split, seed, run.epoch, weight, run.cpu_seconds])
    return pd.DataFrame(rows, columns=["method", "split", "seed", "epoch", "weight", "cpu_seconds"])


def _best_weight(run: Run, model: SegmentModel, seconds: Dataset, validation: Sequence[str], params: Params) -> float:
    """Choose the weight with the highest F1@50 on the validation people's seconds, the first of equals."""

    def quality(weight: float) -> float:
        pairs = []
        for video in validation:
            path, true = decode(run.scores[video], model, weight), seconds.names(video)
            pairs.append(([seconds.classes[label] for label in path[: len(true)]], true))
        return score(pairs, params.data.convention, params.data.ignore)["f1@50"]

    return max(params.controls.score_weights, key=quality)
