"""Metrics of action segmentation: frame-wise accuracy, segmental edit score, F1@{10,25,50} (thesis 2.3 and 2.8).

Segmental metrics: Lea et al., CVPR 2017; pooled over a split: Abu Farha and Gall (MS-TCN), CVPR 2019. The conventions:

mstcn      accuracy over the frames of all videos; F1 from true positives, false positives and false negatives summed
           over the videos; edit = mean over the videos. A segment ends after its last frame.
asformer   as mstcn, but the last segment of a sequence ends one frame early, as in ASFormer's code and the thesis.
lea        each metric is computed per video, then averaged over the videos; the class "background" makes no segments,
           but its frames count in the accuracy. This gives the tables of Lea et al.

Ignored classes make no segments on either side and stay in the accuracy, in every convention.
Scoring at one label per second, as the thesis scored VideoCLIP: `lib/scoring/seconds.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from lib.scoring.labels import LabelError, Labels, Segments, label_array, levenshtein, segments

Pair = tuple[Labels, Labels]  # prediction, ground truth
Convention = Literal["mstcn", "asformer", "lea"]
THRESHOLDS = np.array([0.10, 0.25, 0.50])  # of the intersection over union
METRICS = ("accuracy", "edit", "f1@10", "f1@25", "f1@50")


def score(
    pairs: Iterable[Pair], convention: Convention = "mstcn", ignore: Sequence[str | int] = ()
) -> dict[str, float]:
    """Score predictions against ground truth, in percent.

    Args:
        pairs: (prediction, ground truth) of each video: class names or class numbers of its frames, shape (T,). For the
            accuracy, a longer prediction is cut; its extra frames count in segments, as in the official code.
        convention: "mstcn", "asformer" or "lea", see above.
        ignore: classes that make no segments.

    Returns:
        accuracy, edit, f1@10, f1@25, f1@50. F1 without a true positive is 0. The edit score of a video where neither
        side has a segment left is 100, since nothing is to be edited (the official code divides 0 by 0).

    Raises:
        LabelError: no pairs, an empty sequence, a prediction shorter than its ground truth, or values that are not
            labels.

    >>> score([(["cut", "cut", "cut", "mix"], ["cut", "cut", "mix", "mix"])])
    {'accuracy': 75.0, 'edit': 100.0, 'f1@10': 100.0, 'f1@25': 100.0, 'f1@50': 100.0}
    """
    return combine([count(pair, convention, ignore, f"pair {n}") for n, pair in enumerate(pairs, 1)], convention)


def metric_table(
    pairs: Mapping[str, Pair], convention: Convention = "mstcn", ignore: Sequence[str | int] = ()
) -> pd.DataFrame:
    """Score each video, and all of them together as the video `all`.

    Returns columns video, metric, value (percent); five rows per video.

    Raises LabelError: as in `score`.
    """
    counts = {video: count(pair, convention, ignore, video) for video, pair in pairs.items()}
    scores = {video: combine([one], convention) for video, one in counts.items()}
    scores["all"] = combine(list(counts.values()), convention)
    rows = [(video, metric, value) for video, values in scores.items() for metric, value in values.items()]
    return pd.DataFrame(rows, columns=["video", "metric", "value"])


@dataclass(frozen=True)
class Counts:
    """Counts contributed by one video: correct frames, frames, edit score; tp, fp, fn at the thresholds, shape (3,)."""

    correct: int
    frames: int
    edit: float
    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray


def count(pair: Pair, convention: Convention, ignore: Sequence[str | int] = (), name: str = "pair") -> Counts:
    """Count one video, the first step of `score`; `combine` is the second. `name` stands for the video in errors.

    Raises:
        LabelError: as in `score`.
        ValueError: no such convention.
    """
    if convention not in get_args(Convention):
        raise ValueError(f"convention {convention!r}: choose one of {', '.join(get_args(Convention))}")
    predicted, true = label_array(pair[0], f"{name}, prediction"), label_array(pair[1], f"{name}, ground truth")
    if (predicted.dtype.kind == "U") != (true.dtype.kind == "U"):
        raise LabelError(f"{name}: class names on one side and numbers on the other; convert one of them")
    if len(predicted) < len(true):
        raise LabelError(f"{name}: {len(predicted)} predicted frames for {len(true)} labelled ones; predict all")
    ignored = {*ignore, "background"} if convention == "lea" else set(ignore)
    ours, theirs = (_counted_segments(sequence, convention, ignored) for sequence in (predicted, true))
    distance = levenshtein(ours.labels.tolist(), theirs.labels.tolist())
    longer = max(len(ours.labels), len(theirs.labels))
    tp = _true_positives(ours, theirs)
    return Counts(
        correct=int((predicted[: len(true)] == true).sum()),
        frames=len(true),
        edit=100 * (1 - distance / longer) if longer else 100.0,
        tp=tp,
        fp=len(ours.labels) - tp,
        fn=len(theirs.labels) - tp,
    )


def combine(counts: Sequence[Counts], convention: Convention) -> dict[str, float]:
    """Turn the counts of videos into the five metrics, in percent. Raises LabelError: no videos."""
    if not counts:
        raise LabelError("no videos to score")
    if convention == "lea" and len(counts) > 1:
        return pd.DataFrame([combine([one], convention) for one in counts]).mean().to_dict()
    tp, fp, fn = (sum(getattr(one, part) for one in counts) for part in ("tp", "fp", "fn"))
    f1 = 100 * 2 * tp / np.maximum(2 * tp + fp + fn, 1)
    accuracy = 100 * sum(one.correct for one in counts) / sum(one.frames for one in counts)
    edit = sum(one.edit for one in counts) / len(counts)
    return dict(zip(METRICS, (accuracy, edit, *f1.tolist()), strict=True))


def _counted_segments(array: np.ndarray, convention: Convention, ignored: set) -> Segments:
    runs = segments(array)
    ends = runs.ends - (runs.ends == len(array)) if convention == "asformer" else runs.ends
    keep = np.array([label not in ignored for label in runs.labels.tolist()])
    return Segments(runs.labels[keep], runs.starts[keep], ends[keep])


def _true_positives(ours: Segments, theirs: Segments) -> np.ndarray:
    """Count the true segments that are found, at each threshold, shape (3,).

    A predicted segment is matched with the true segment of its class that has the largest intersection over union, or
    the earliest of several. If that reaches the threshold, the true segment is found; it counts once.
    """
    found = np.zeros((len(THRESHOLDS), len(theirs.labels)), dtype=bool)
    for label, start, end in zip(ours.labels, ours.starts, ours.ends, strict=True):
        intersection = np.minimum(end, theirs.ends) - np.maximum(start, theirs.starts)
        union = np.maximum(end, theirs.ends) - np.minimum(start, theirs.starts)
        # under `asformer`, two last segments of one frame have no length, so no union
        iou = np.where(theirs.labels == label, intersection / np.maximum(union, 1), 0)
        if iou.size:
            found[iou.max() >= THRESHOLDS, iou.argmax()] = True
    return found.sum(axis=1)
