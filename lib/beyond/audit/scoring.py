"""The thesis's two ways of scoring, applied to the same real predictions and labels (4.1, beyond the thesis).

Chapters 2.2 and 2.3 score 30 labels per second, with a segmental edit score (0 to 100, higher is better). 2.8 and 2.9
score one label per second, with an edit distance in seconds (lower is better; lib/scoring/seconds.py).
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from lib.data.dataset import Dataset
from lib.scoring.folders import ratio_parts
from lib.scoring.labels import Labels, segments
from lib.scoring.metrics import METRICS, Pair, score
from lib.scoring.published import SPLITS
from lib.scoring.seconds import at_one_fps, raw_edit_distance, second_targets, seconds_of
from lib.scoring.stats import bootstrap_interval

FRAMES, SECONDS, TARGETS = "30 fps", "1 fps, middle of the second", "1 fps, the thesis's targets"
POOLED = ("accuracy", "f1@10", "f1@25", "f1@50")
Pairs = Mapping[str, Pair]  # video -> (prediction, truth)


def at_rates(pairs: Pairs, fps: float, uncovered: str) -> dict[str, dict[str, Pair]]:
    """Frame predictions at 30 labels per second, and at one label per second with two kinds of truth.

    `uncovered`: the thesis's label for seconds that no segment fills (lib/scoring/seconds.py).
    """
    seconds: dict[str, Pair] = {video: _middles(pair, fps) for video, pair in pairs.items()}
    targets = {video: seconds_of(pair, fps, uncovered) for video, pair in pairs.items()}
    return {FRAMES: dict(pairs), SECONDS: seconds, TARGETS: targets}


def _middles(pair: Pair, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Prediction and truth in the middle of each second."""
    prediction, truth = (at_one_fps(labels, fps) for labels in pair)
    return prediction[: len(truth)], truth


def scored_at_rates(rates: Mapping[str, Pairs]) -> pd.DataFrame:
    """One row per way of scoring: accuracy and F1 as fractions, edit (score, percent), raw_edit (labels), segments.

    The raw edit distance is in labels, so in seconds at 1 fps; segments is how many are predicted.
    """
    rows = {}
    for name, pairs in rates.items():
        predicted = sum(len(segments(prediction).labels) for prediction, _ in pairs.values())
        further = {"raw_edit": raw_edit_distance(pairs.values()), "segments": predicted}
        rows[name] = _fractions(score(pairs.values())) | further
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("scored at")


def rate_effects(rates: Mapping[str, Pairs]) -> pd.DataFrame:
    """Gain in accuracy and F1 from scoring at one label per second, with 95 % bootstrap intervals over the videos."""
    parts = {name: {video: ratio_parts(pair, POOLED) for video, pair in pairs.items()} for name, pairs in rates.items()}
    rows = []
    for name in (SECONDS, TARGETS):
        for place, metric in enumerate(POOLED):
            items = [(parts[name][video][place], frames[place]) for video, frames in parts[FRAMES].items()]
            rows.append((name, metric, _gain(items), *bootstrap_interval(items, _gain)))
    return pd.DataFrame(rows, columns=["scored at", "metric", "difference", "low", "high"])


def both_edits(pairs: Pairs, fps: float) -> pd.DataFrame:
    """One row per video: wrong_seconds, raw_edit (seconds), edit (score, percent, 30 fps) and surplus_segments."""
    rows = {}
    for video, (prediction, truth) in pairs.items():
        sampled, middle = _middles((prediction, truth), fps)
        rows[video] = {
            "wrong_seconds": int((sampled != middle).sum()),
            "raw_edit": raw_edit_distance([(sampled, middle)]),
            "edit": score([(prediction, truth)])["edit"],
            "surplus_segments": len(segments(prediction).labels) - len(segments(truth).labels),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("video")


def split_scores(predictions: Mapping[int, Pairs]) -> pd.DataFrame:
    """One row per split, and their mean: the five metrics at 30 fps in percent, pooled over the split's videos."""
    table = pd.DataFrame({split: score(pairs.values()) for split, pairs in predictions.items()}).T[list(METRICS)]
    table.loc["mean"] = table.mean()
    return table.rename_axis("split")


def shift_scores(labels: Dataset, frames: int) -> dict[str, float]:
    """Score a prediction of all videos that is perfect but comes some frames late; fractions, edit in percent."""
    truths = [labels.names(video) for video in labels.videos]
    return shifted(zip(truths, truths, strict=True), frames)


def shifted(pairs: Iterable[Pair], frames: int) -> dict[str, float]:
    """Scores of predictions moved by some frames, later or (negative) earlier; fractions, edit in percent."""
    return _fractions(score((_moved(prediction, frames), truth) for prediction, truth in pairs))


def shift_curves(pairs: Pairs, shifts: Sequence[int]) -> pd.DataFrame:
    """Score shifted predictions: columns prediction (the truth or the model's), frames, and the scores of `shifted`."""
    both = {"the truth": [(truth, truth) for _, truth in pairs.values()], "MS-TCN's": pairs.values()}
    rows = [{"prediction": name, "frames": n} | shifted(which, n) for name, which in both.items() for n in shifts]
    return pd.DataFrame(rows)


def target_disagreement(labels: Dataset) -> float:
    """Share of all frames whose label differs from their second's target, as the thesis made it."""
    wrong = total = 0
    for video in labels.videos:
        truth = np.array(labels.names(video))
        targets = second_targets(truth, labels.fps, uncovered=labels.classes[0])
        wrong += int((targets[(np.arange(len(truth)) / labels.fps).astype(int)] != truth).sum())
        total += len(truth)
    return wrong / total


def trained_on(labels: Dataset, videos: list[str]) -> list[int]:
    """The splits that have all of these videos in their training part."""
    return [k for k in SPLITS if set(videos) <= set(labels.split(k)[0])]


def _moved(labels: Labels, frames: int) -> np.ndarray:
    array = np.asarray(labels)
    return array[(np.arange(len(array)) - frames).clip(0, len(array) - 1)]


def _fractions(scores: Mapping[str, float]) -> dict[str, float]:
    """Turn accuracy and F1 into fractions, as the thesis prints them; the edit score stays in percent."""
    return {metric: scores[metric] / (1 if metric == "edit" else 100) for metric in METRICS}


def _gain(items: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """First pooled score less the second; items are (numerator, denominator) of both, a pair per video."""
    first, second = (math.fsum(top) / math.fsum(bottom) for top, bottom in np.array(items).transpose(1, 2, 0))
    return first - second
