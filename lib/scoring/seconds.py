"""Scoring at one label per second, as the thesis scored VideoCLIP (2.8, 2.9).

The thesis made a second's true label with `second_targets`; a frame-level prediction is sampled by `at_one_fps`. Its
"edit distance" is `raw_edit_distance`: in seconds, lower is better, close to the number of wrong seconds of a video,
and not comparable with the edit score of ASFormer's tables (0 to 100, higher is better). The thesis scored ASFormer by
frames. So only the accuracies can be compared, and only roughly.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from lib.scoring.labels import LabelError, Labels, label_array, levenshtein, segments
from lib.scoring.metrics import Pair, metric_table


def at_one_fps(labels: Labels, fps: float) -> np.ndarray:
    """The label of the frame in the middle of each second, (seconds,); a last half second or less is left out.

    Raises LabelError: fewer than one frame per second.

    >>> at_one_fps(["cut"] * 40 + ["mix"] * 50, fps=30).tolist()
    ['cut', 'mix', 'mix']
    """
    array = label_array(labels)
    if fps < 1:
        raise LabelError(f"{fps} frames per second: at least one is needed for a label per second")
    middles = ((np.arange(math.ceil(len(array) / fps)) + 0.5) * fps).astype(int)
    return array[middles[middles < len(array)]]


def second_targets(labels: Labels, fps: float, uncovered: str | int, seconds: int | None = None) -> np.ndarray:
    """The true label of each second, (seconds,), as the thesis's code for VideoCLIP made it.

    A segment with first frame a and last frame b fills the seconds from floor(a / fps) up to, but not including,
    ceil(b / fps); a later segment overwrites an earlier one.

    Args:
        uncovered: label of the seconds that no segment fills; in the thesis class 0, cut_tomato.
        seconds: length of the result (the number of features); by default all seconds that have begun.

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
    """Spread one label per second over the frames, (frames,); frames after the last second take its label.

    >>> to_frames(["cut", "mix"], frames=5, fps=2).tolist()
    ['cut', 'cut', 'mix', 'mix', 'mix']
    """
    labels = label_array(seconds)
    return labels[np.minimum((np.arange(frames) / fps).astype(int), len(labels) - 1)]


def raw_edit_distance(pairs: Iterable[Pair]) -> float:
    """Levenshtein distance of the label sequences, not of their segments; mean over videos, not normalized.

    `pairs`: (prediction, ground truth) of each video, one label per second, so that the unit is a second. A longer
    prediction is cut, as for the accuracy.

    Raises LabelError: no pairs, or a prediction shorter than its ground truth.

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


SECONDS = "thesis, 1 fps"  # the protocol's name in the long table


def seconds_table(pairs: Mapping[str, Pair], fps: float, uncovered: str) -> pd.DataFrame:
    """Turn labels of frames into a `metric_table` at one label per second, as the thesis scored VideoCLIP.

    `uncovered`: label of a second that no true segment fills. There is one more metric, raw_edit (seconds, lower is
    better).

    Raises LabelError: as in `score`.
    """
    seconds = {video: seconds_of(pair, fps, uncovered) for video, pair in pairs.items()}
    distances = {video: raw_edit_distance([pair]) for video, pair in seconds.items()}
    distances["all"] = raw_edit_distance(seconds.values())
    raw_edit = [(video, "raw_edit", value) for video, value in distances.items()]
    table = metric_table(seconds)
    return pd.concat([table, pd.DataFrame(raw_edit, columns=list(table))], ignore_index=True)


def seconds_of(pair: Pair, fps: float, uncovered: str) -> Pair:
    """Sample prediction and truth, labels of frames, to one label per second, as the thesis compared them."""
    predicted = at_one_fps(pair[0], fps)
    return predicted, second_targets(pair[1], fps, uncovered, len(predicted))


def by_split(metrics: pd.DataFrame, method: str, protocol: str, columns: Sequence[str]) -> pd.DataFrame:
    """Select the rows of the splits (video "all") in the thesis's units, mean over seeds: accuracy and F1 as fractions.

    The edit distance stays as it is. The index is split ("1" …; if there are several, the mean below).
    """
    chosen = metrics.query("method == @method and protocol == @protocol and video == 'all'")
    table = chosen.pivot_table(index="split", columns="metric", values="value")[list(columns)]
    fractions = [name for name in columns if name == "accuracy" or name.startswith("f1@")]
    table[fractions] /= 100
    table.index = table.index.map(str)
    if len(table) > 1:
        table.loc["mean"] = table.mean()
    return table.rename_axis(index="split", columns=None)


SECOND_COLUMNS = ["accuracy", "raw_edit", "f1@10", "f1@25", "f1@50"]  # of Tables 4-9
