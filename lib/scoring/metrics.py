"""Metrics of action segmentation: frame-wise accuracy, segmental edit score, F1@{10,25,50} (thesis 2.3 and 2.8).

Segmental metrics: Lea et al., CVPR 2017; pooled over a split: Abu Farha and Gall (MS-TCN), CVPR 2019. The conventions:

mstcn      accuracy over the frames of all videos; F1 from true positives, false positives and false negatives summed
           over the videos; edit = mean over the videos. A segment ends after its last frame.
asformer   as mstcn, but the last segment of a sequence ends one frame early: so count ASFormer's code and the thesis.
lea        each metric is computed for each video, then averaged over the videos; the class "background" makes no
           segments, but its frames count in the accuracy. So are the tables of Lea et al. computed.

Ignored classes make no segments on either side and stay in the accuracy, in every convention.
For scoring at one label a second, as the thesis scored VideoCLIP, see `lib/scoring/seconds.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from lib.scoring.labels import LabelError, Labels, Segments, label_array, levenshtein, segments

Pair = tuple[Labels, Labels]  # prediction, ground truth
Convention = Literal["mstcn", "asformer", "lea"]
THRESHOLDS = np.array([0.10, 0.25, 0.50])  # of the intersection over union
METRICS = ("accuracy", "edit", "f1@10", "f1@25", "f1@50")
METRIC_COLUMNS = ("section", "method", "split", "video", "protocol", "metric", "value")


def score(
    pairs: Iterable[Pair], convention: Convention = "mstcn", ignore: Iterable[str | int] = ()
) -> dict[str, float]:
    """Score predictions against ground truth, in percent.

    Args:
        pairs: (prediction, ground truth) of each video: class names, or class numbers, of its frames, shape (T,). A
            longer prediction is cut for the accuracy; its further frames count in segments, as in the official code.
        convention: "mstcn", "asformer" or "lea", see above.
        ignore: classes that make no segments.

    Returns:
        accuracy, edit, f1@10, f1@25, f1@50. F1 without a true positive is 0. The edit score of a video where neither
        side has a segment left is 100, since nothing is to be edited (the official code divides 0 by 0).

    Raises:
        LabelError: no pairs, an empty sequence, a prediction shorter than its ground truth, or something else than
            labels.

    >>> score([(["cut", "cut", "cut", "mix"], ["cut", "cut", "mix", "mix"])])
    {'accuracy': 75.0, 'edit': 100.0, 'f1@10': 100.0, 'f1@25': 100.0, 'f1@50': 100.0}
    """
    ignored = _ignored(convention, ignore)
    return _combine([_count(pair, convention, ignored, f"pair {n}") for n, pair in enumerate(pairs, 1)], convention)


def metric_table(
    pairs: Mapping[str, Pair],
    *,
    section: str,
    method: str,
    split: int,
    convention: Convention = "mstcn",
    ignore: Iterable[str | int] = (),
    protocol: str | None = None,
) -> pd.DataFrame:
    """The long table of one method on one split: five rows a video, then five for the video `all`.

    Args:
        pairs: video name -> (prediction, ground truth).
        section: thesis section, e.g. "2.3.3".
        method: what predicted.
        split: 1 … 5.
        convention: as in `score`.
        ignore: as in `score`.
        protocol: its name in the table, where the convention does not say it all, e.g. "mstcn, 1 fps".

    Returns:
        Columns section, method, split, video, protocol, metric, value (percent).
    """
    ignored = _ignored(convention, ignore)
    counts = {video: _count(pair, convention, ignored, video) for video, pair in pairs.items()}
    scores = {video: _combine([one], convention) for video, one in counts.items()}
    scores["all"] = _combine(list(counts.values()), convention)
    rows = [
        (section, method, split, video, protocol or convention, metric, value)
        for video, values in scores.items()
        for metric, value in values.items()
    ]
    return pd.DataFrame(rows, columns=list(METRIC_COLUMNS))


@dataclass(frozen=True)
class _Counts:
    """What one video adds: correct frames, frames, edit score; tp, fp, fn at the three thresholds, shape (3,)."""

    correct: int
    frames: int
    edit: float
    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray


def _count(pair: Pair, convention: Convention, ignored: set, name: str) -> _Counts:
    predicted, true = label_array(pair[0], f"{name}, prediction"), label_array(pair[1], f"{name}, ground truth")
    if (predicted.dtype.kind == "U") != (true.dtype.kind == "U"):
        raise LabelError(f"{name}: class names on one side and numbers on the other; bring both to one")
    if len(predicted) < len(true):
        raise LabelError(
            f"{name}: {len(predicted)} predicted frames for {len(true)} labelled ones; predict every frame"
        )
    ours, theirs = (_counted_segments(sequence, convention, ignored) for sequence in (predicted, true))
    distance = levenshtein(ours.labels.tolist(), theirs.labels.tolist())
    longer = max(len(ours.labels), len(theirs.labels))
    tp = _true_positives(ours, theirs)
    return _Counts(
        correct=int((predicted[: len(true)] == true).sum()),
        frames=len(true),
        edit=100 * (1 - distance / longer) if longer else 100.0,
        tp=tp,
        fp=len(ours.labels) - tp,
        fn=len(theirs.labels) - tp,
    )


def _ignored(convention: Convention, ignore: Iterable[str | int]) -> set:
    if convention not in get_args(Convention):
        raise ValueError(f"convention {convention!r}: there are {', '.join(get_args(Convention))}")
    return {*ignore, "background"} if convention == "lea" else set(ignore)


def _counted_segments(array: np.ndarray, convention: Convention, ignored: set) -> Segments:
    runs = segments(array)
    ends = runs.ends - (runs.ends == len(array)) if convention == "asformer" else runs.ends
    keep = np.array([label not in ignored for label in runs.labels.tolist()])
    return Segments(runs.labels[keep], runs.starts[keep], ends[keep])


def _true_positives(ours: Segments, theirs: Segments) -> np.ndarray:
    """At each threshold, shape (3,): how many true segments are the best match of a predicted one and reach it.

    Segments of one side are disjoint and in order, so those that a segment overlaps are a range, and the ranges of all
    hold at most S + S' pairs. The last segment of `asformer` may have length 0; it then overlaps nothing.
    """
    first = np.searchsorted(theirs.ends, ours.starts, side="right")
    number = np.maximum(np.searchsorted(theirs.starts, ours.ends, side="left") - first, 0)
    i = np.repeat(np.arange(len(number)), number)
    j = np.arange(len(i)) + np.repeat(first - (np.cumsum(number) - number), number)
    same = ours.labels[i] == theirs.labels[j]
    i, j = i[same], j[same]
    intersection = np.minimum(ours.ends[i], theirs.ends[j]) - np.maximum(ours.starts[i], theirs.starts[j])
    union = np.maximum(ours.ends[i], theirs.ends[j]) - np.minimum(ours.starts[i], theirs.starts[j])
    iou = intersection / union
    order = np.lexsort((j, -iou, i))  # for each i its best j first, the earlier of equals
    best = order[np.unique(i[order], return_index=True)[1]]
    return np.array([np.unique(j[best][iou[best] >= threshold]).size for threshold in THRESHOLDS])


def _combine(counts: list[_Counts], convention: Convention) -> dict[str, float]:
    if not counts:
        raise LabelError("no videos to score")
    if convention == "lea" and len(counts) > 1:
        each = pd.DataFrame([_combine([one], convention) for one in counts])
        return each.mean().to_dict()
    tp, fp, fn = (sum(getattr(one, part) for one in counts) for part in ("tp", "fp", "fn"))
    f1 = 100 * 2 * tp / np.maximum(2 * tp + fp + fn, 1)
    accuracy = 100 * sum(one.correct for one in counts) / sum(one.frames for one in counts)
    edit = sum(one.edit for one in counts) / len(counts)
    return dict(zip(METRICS, (accuracy, edit, *f1.tolist()), strict=True))
