"""Scoring at one label a second, as the thesis scored VideoCLIP (2.8 and 2.9).

The thesis made a second's true label by `second_targets`; a frame-level prediction is brought to the same rate by
`at_one_fps`. Its "edit distance" is `raw_edit_distance`: in seconds, lower is better, close to the number of wrong
seconds of a video, and not to be compared with the edit score (0 … 100, higher is better) of ASFormer's tables.
"""

import math
from collections.abc import Iterable

import numpy as np

from lib.labels import LabelError, Labels, label_array, levenshtein, segments
from lib.metrics import Pair


def at_one_fps(labels: Labels, fps: float) -> np.ndarray:
    """The label in the middle of each second; a last part of half a second or less is left out.

    Args:
        labels: of the frames, shape (T,).
        fps: frames a second, at least 1.

    >>> at_one_fps(["cut"] * 40 + ["mix"] * 50, fps=30).tolist()
    ['cut', 'mix', 'mix']
    """
    array = label_array(labels)
    if fps < 1:
        raise LabelError(f"{fps} frames a second: at least one is needed for a label a second")
    middles = ((np.arange(math.ceil(len(array) / fps)) + 0.5) * fps).astype(int)
    return array[middles[middles < len(array)]]


def second_targets(labels: Labels, fps: float, uncovered: str | int, seconds: int | None = None) -> np.ndarray:
    """The true label of each second, as the thesis's code for VideoCLIP made it.

    A segment with first frame a and last frame b fills the seconds from floor(a / fps) to ceil(b / fps), the latter not
    included; a later segment overwrites an earlier one.

    Args:
        labels: of the frames, shape (T,).
        fps: frames a second.
        uncovered: label of the seconds that no segment fills; in the thesis class 0, cut_tomato.
        seconds: length of the result (the number of features); by default the seconds that are begun.

    >>> second_targets(["cut"] * 40 + ["mix"] * 51, fps=30, uncovered="cut").tolist()
    ['cut', 'mix', 'mix', 'cut']
    """
    runs = segments(labels)
    targets = [uncovered] * (math.ceil(runs.ends[-1] / fps) if seconds is None else seconds)
    for label, start, end in zip(runs.labels.tolist(), runs.starts, runs.ends, strict=True):
        for second in range(math.floor(start / fps), min(math.ceil((end - 1) / fps), len(targets))):
            targets[second] = label
    return np.array(targets)


def to_frames(seconds: Labels, frames: int, fps: float) -> np.ndarray:
    """A label a second, spread over the frames of its second; what lies after the last second takes its label.

    >>> to_frames(["cut", "mix"], frames=5, fps=2).tolist()
    ['cut', 'cut', 'mix', 'mix', 'mix']
    """
    labels = label_array(seconds)
    return labels[np.minimum((np.arange(frames) / fps).astype(int), len(labels) - 1)]


def raw_edit_distance(pairs: Iterable[Pair]) -> float:
    """Levenshtein distance of the label sequences themselves, not of their segments; mean over videos, not normalized.

    Args:
        pairs: (prediction, ground truth) of each video, one label a second, so that the unit is a second. A longer
            prediction is cut, as for the accuracy.

    Raises:
        LabelError: no pairs, or a prediction shorter than its ground truth.

    >>> raw_edit_distance([(["cut", "cut", "mix"], ["cut", "mix", "mix"])])
    1.0
    """
    distances = []
    for number, (prediction, truth) in enumerate(pairs, 1):
        predicted, true = label_array(prediction).tolist(), label_array(truth).tolist()
        if len(predicted) < len(true):
            raise LabelError(f"pair {number}: {len(predicted)} predicted seconds for {len(true)} labelled; predict all")
        distances.append(levenshtein(predicted[: len(true)], true))
    if not distances:
        raise LabelError("no videos to score")
    return float(np.mean(distances))
