"""Accuracy and F1@50 of the controls with intervals, and their differences, by resampling videos (4.2).

A method's value is the mean over its seeds of the score over all test videos. Its interval is that of the mean under
other videos: videos are drawn with replacement, the same for all seeds, and for both methods of a difference. The
seeds' own spread stands beside it. Videos of one person are alike, so intervals are on the narrow side.

The tables of the check on real videos (4.3): the three conventions, and what seeds and splits move.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from lib.data.dataset import Dataset
from lib.data.predictions import prediction_pairs
from lib.scoring.labels import segments
from lib.scoring.metrics import METRICS, Convention, Pair, metric_table, score
from lib.scoring.stats import bootstrap_interval

MEASURES = ("accuracy", "f1@50")
Items = list[np.ndarray]  # a video: (measure, seed, [numerator, denominator])
Cells = Sequence[tuple[Path, int, int]]  # folder of predictions, split, seed


def video_items(dataset: Dataset, cells: Cells, convention: Convention, ignore: Iterable[str]) -> dict[str, np.ndarray]:
    """What each test video adds to the two measures, (2, seeds, 2): sums of them make the ratio.

    Args:
        cells: of one method; each split with the same number of seeds.
    """
    ignore = tuple(ignore)
    found: dict[str, list[np.ndarray]] = {}
    for folder, split, _ in cells:
        for video, pair in prediction_pairs(folder, dataset, dataset.split(split)[1]).items():
            found.setdefault(video, []).append(_adds(pair, convention, ignore))
    return {video: np.stack(seeds, axis=1) for video, seeds in found.items()}


def value(items: Items, measure: str) -> float:
    """Mean over the seeds, in percent."""
    total = np.sum(items, axis=0)[MEASURES.index(measure)]  # (seeds, 2)
    return float(100 * (total[:, 0] / np.maximum(total[:, 1], 1e-9)).mean())


def seed_spread(items: Items, measure: str) -> float:
    """Standard deviation over the seeds, in percent; NaN with one."""
    total = np.sum(items, axis=0)[MEASURES.index(measure)]
    return float(100 * np.std(total[:, 0] / total[:, 1], ddof=1)) if len(total) > 1 else float("nan")


def estimates(methods: Mapping[str, Mapping[str, np.ndarray]], resamples: int = 2000) -> pd.DataFrame:
    """A row a method: for each measure its value, low and high of the 95 % interval, and the seeds' spread; seeds."""
    rows = {}
    for name, videos in methods.items():
        items = list(videos.values())
        row: dict[str, float] = {"seeds": items[0].shape[1], "videos": len(items)}
        for measure in MEASURES:
            low, high = bootstrap_interval(items, lambda drawn: value(drawn, measure), resamples, "percentile")  # noqa: B023
            row |= {measure: value(items, measure), f"{measure} low": low, f"{measure} high": high}
            row[f"{measure} seeds"] = seed_spread(items, measure)
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def differences(
    methods: Mapping[str, Mapping[str, np.ndarray]], asked: Mapping[str, tuple[str, str]], resamples: int = 2000
) -> pd.DataFrame:
    """First less second in both measures, points, with the 95 % interval over the videos that both predicted.

    Args:
        asked: what is asked -> (method, method less); those that are not there are left out.

    Returns:
        A row a question: method, less, and for each measure the difference, low, high, told ("higher", "lower" or
        "can't tell").
    """
    rows = {}
    for question, (first, second) in asked.items():
        if not {first, second} <= set(methods):
            continue
        pairs = [(methods[first][video], methods[second][video]) for video in methods[first]]
        row: dict[str, str | float] = {"method": first, "less": second}
        for measure in MEASURES:

            def difference(drawn: list[tuple[np.ndarray, np.ndarray]], measure: str = measure) -> float:
                return value([one for one, _ in drawn], measure) - value([other for _, other in drawn], measure)

            low, high = bootstrap_interval(pairs, difference, resamples, "percentile")
            row |= {measure: difference(pairs), f"{measure} low": low, f"{measure} high": high}
            row[f"{measure} told"] = "higher" if low > 0 else "lower" if high < 0 else "can't tell"
        rows[question] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("question")


def long_metrics(
    dataset: Dataset, cells: Mapping[str, Cells], section: str, convention: Convention, ignore: Iterable[str]
) -> pd.DataFrame:
    """The long table of all methods; a method of several seeds has its seed in its name."""
    tables = []
    for method, parts in cells.items():
        for folder, split, seed in parts:
            name = method if len({cell[2] for cell in parts}) == 1 else f"{method}_seed_{seed}"
            pairs = prediction_pairs(folder, dataset, dataset.split(split)[1])
            about = {"section": section, "method": name, "split": split}
            tables.append(metric_table(pairs, convention=convention, ignore=ignore, **about))
    return pd.concat(tables, ignore_index=True)


def _adds(pair: Pair, convention: Convention, ignore: tuple[str, ...]) -> np.ndarray:
    """Numerators and denominators (2, 2): right frames of all, 2 tp of predicted + true segments.

    "lea" averages the videos' own scores, so that there each video adds its score and one.
    """
    scores = [score([pair], convention, ignore)[measure] / 100 for measure in MEASURES]
    if convention == "lea":
        return np.array([[one, 1.0] for one in scores])
    counted = sum(label not in ignore for side in pair for label in segments(side).labels.tolist())
    return np.array([[one * size, size] for one, size in zip(scores, (len(pair[1]), counted), strict=True)])


def conventions_table(dataset: Dataset, cells: Mapping[str, Cells], ignore: Iterable[str]) -> pd.DataFrame:
    """Rows (method, convention), the five metrics in percent, mean over splits and seeds."""
    tables = {kind: _scores(dataset, cells, kind, ignore) for kind in get_args(Convention)}
    return (
        pd.concat(
            [
                table.groupby("method", sort=False)[list(METRICS)].mean().assign(convention=kind)
                for kind, table in tables.items()
            ]
        )
        .set_index("convention", append=True)
        .sort_index(level="method", sort_remaining=False)
    )


def seeds_table(
    dataset: Dataset, cells: Mapping[str, Cells], convention: Convention, ignore: Iterable[str]
) -> pd.DataFrame:
    """A row a method of several seeds: "<metric>, seeds" within a split, "<metric>, splits" of the splits' means."""
    rows = {}
    for method, table in _scores(dataset, cells, convention, ignore).groupby("method", sort=False):
        if table["seed"].nunique() > 1:
            splits = table.groupby("split")[list(METRICS)]
            within, between = splits.std().mean(), splits.mean().std()
            rows[method] = {
                f"{metric}, {what}": spread[metric]
                for metric in METRICS
                for what, spread in (("seeds", within), ("splits", between))
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def _scores(
    dataset: Dataset, cells: Mapping[str, Cells], convention: Convention, ignore: Iterable[str]
) -> pd.DataFrame:
    """A row a method, split and seed."""
    ignore = tuple(ignore)
    rows = [
        {"method": method, "split": split, "seed": seed}
        | score(prediction_pairs(folder, dataset, dataset.split(split)[1]).values(), convention, ignore)
        for method, parts in cells.items()
        for folder, split, seed in parts
    ]
    return pd.DataFrame(rows)
