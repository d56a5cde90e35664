"""Accuracy and F1@50 of the controls and their differences, with intervals by resampling videos (4.2, 4.5).

A method's value is the mean over its seeds of the score over all test videos. Its interval is that of the mean under
other videos: videos are drawn with replacement, the same for all seeds, and for both methods of a difference. The
spread of the seeds is reported beside it. Videos of one person are alike, so intervals are on the narrow side.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import get_args

import numpy as np
import pandas as pd

from lib.data.dataset import Dataset
from lib.scoring.folders import Cell, pairs_of
from lib.scoring.labels import segments
from lib.scoring.metrics import METRICS, Convention, Pair, score
from lib.scoring.published import published_table
from lib.scoring.stats import bootstrap_interval, direction

MEASURES = ("accuracy", "f1@50")
Items = Sequence[np.ndarray]  # per video: (measure, seed, [numerator, denominator])


def ratio_parts(
    pair: Pair, measures: Sequence[str], convention: Convention = "mstcn", ignore: Iterable[str] = ()
) -> np.ndarray:
    """Numerator and denominator of each measure for one video, (measure, 2); summed over videos they make the score.

    Of the accuracy: right frames and all; of F1: 2 tp, and predicted + true segments. "lea" averages the videos' own
    scores, so that there each video adds its score and one.
    """
    ignore = tuple(ignore)
    scores = score([pair], convention, ignore)
    counted = sum(label not in ignore for side in pair for label in segments(side).labels.tolist())
    sizes = [1.0 if convention == "lea" else counted if name.startswith("f1") else len(pair[1]) for name in measures]
    return np.array([[scores[name] / 100 * size, size] for name, size in zip(measures, sizes, strict=True)])


def video_items(
    dataset: Dataset, cells: Iterable[Cell], convention: Convention, ignore: Iterable[str]
) -> dict[str, np.ndarray]:
    """What each test video adds to the two measures, (2, seeds, 2): sums of them make the ratio.

    Args:
        cells: of one method; each split with the same number of seeds.
    """
    ignore = tuple(ignore)
    found: dict[str, list[np.ndarray]] = {}
    for cell in cells:
        for video, pair in pairs_of(dataset, cell).items():
            found.setdefault(video, []).append(ratio_parts(pair, MEASURES, convention, ignore))
    return {video: np.stack(seeds, axis=1) for video, seeds in found.items()}


def value(items: Items, measure: str) -> float:
    """Mean over the seeds, in percent."""
    return float(_seeds(items, measure).mean())


def _seeds(items: Items, measure: str) -> np.ndarray:
    """The score of each seed, in percent."""
    top, bottom = np.sum(items, axis=0)[MEASURES.index(measure)].T
    return 100 * (top / np.maximum(bottom, 1e-9))


def estimates(methods: Mapping[str, Mapping[str, np.ndarray]], resamples: int = 2000) -> pd.DataFrame:
    """A row per method: for each measure its value, low and high of the 95 % interval, and the seeds' spread; seeds."""
    rows = {}
    for name, videos in methods.items():
        items = list(videos.values())
        row: dict[str, float] = {"seeds": items[0].shape[1], "videos": len(items)}
        for measure in MEASURES:
            row |= _with_interval(measure, items, partial(value, measure=measure), resamples)
            several = row["seeds"] > 1
            row[f"{measure} seeds"] = float(np.std(_seeds(items, measure), ddof=1)) if several else float("nan")
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def differences(
    methods: Mapping[str, Mapping[str, np.ndarray]], asked: Mapping[str, tuple[str, str]], resamples: int = 2000
) -> pd.DataFrame:
    """First less second in both measures, points, with the 95 % interval over the videos that both predicted.

    Args:
        asked: what is asked -> (method, method less); questions about missing methods are left out.

    Returns:
        A row per question: method, less, and for each measure the difference, low, high, told ("higher", "lower" or
        "inconclusive").
    """

    def difference(drawn: Sequence[tuple[np.ndarray, np.ndarray]], measure: str) -> float:
        first, second = zip(*drawn, strict=True)
        return value(first, measure) - value(second, measure)

    rows = {}
    for question, (first, second) in asked.items():
        if {first, second} <= set(methods):
            pairs = [(items, methods[second][video]) for video, items in methods[first].items()]
            row: dict[str, str | float] = {"method": first, "less": second}
            for measure in MEASURES:
                found = _with_interval(measure, pairs, partial(difference, measure=measure), resamples)
                row |= found | {f"{measure} told": direction(found[f"{measure} low"], found[f"{measure} high"])}
            rows[question] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("question")


def _with_interval(name: str, items: list, statistic: Callable[[list], float], resamples: int) -> dict[str, float]:
    low, high = bootstrap_interval(items, statistic, resamples, "percentile")
    return {name: statistic(items), f"{name} low": low, f"{name} high": high}


def conventions_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """Rows (method, convention), the five metrics in percent, mean over splits and seeds.

    Args:
        metrics: of `lib.scoring.folders.score_methods`, in all conventions.
    """
    whole = metrics.query("video == 'all'").rename(columns={"protocol": "convention"})
    means = whole.pivot_table(index=["method", "convention"], columns="metric", values="value")[list(METRICS)]
    return means.reindex(list(get_args(Convention)), level="convention").rename_axis(columns=None)


def with_references(conventions: pd.DataFrame) -> pd.DataFrame:
    """The table with the published scores on the same data below, in their convention."""
    published = published_table("scores_references").drop(index="svm")
    names = [published.index + ", published", ["lea"]]
    published.index = pd.MultiIndex.from_product(names, names=["method", "convention"])
    return pd.concat([conventions, published])


def seeds_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """A row per method of several seeds: "<metric>, seeds" within a split, "<metric>, splits" of the splits' means.

    Args:
        metrics: of `lib.scoring.folders.score_methods`, in one convention.
    """
    whole, rows = metrics.query("video == 'all'"), {}
    for method, part in whole.groupby("method", sort=False):
        if part["seed"].nunique() > 1:
            splits = part.pivot(index=["split", "seed"], columns="metric", values="value").groupby("split")
            within, between = splits.std().mean(), splits.mean().std()
            rows[method] = {
                f"{metric}, {what}": spread[metric]
                for metric in METRICS
                for what, spread in (("seeds", within), ("splits", between))
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


USES = {  # questions on pre-training, and where it is used
    "Pre-training, zero-shot": "zero-shot",
    "Pre-training, fine-tuned": "after fine-tuning",
    "Pre-trained states against untrained, probe": "in a linear probe",
}


def effect_sentence(effects: pd.DataFrame, data: str) -> str:
    """What pre-training does to accuracy with everything else equal, on the named data.

    Args:
        effects: rows of `differences`, by question, those of USES.


    >>> told = pd.DataFrame({"accuracy told": ["higher", "inconclusive", "lower"]}, index=list(USES))
    >>> effect_sentence(told, "demo")[53:]
    'pre-training raises accuracy zero-shot and lowers it in a linear probe; after fine-tuning no effect is detectable.'
    >>> effect_sentence(told.iloc[:1], "demo")
    'In the runs here (demo), with everything else equal, pre-training raises accuracy zero-shot.'
    >>> effect_sentence(told.iloc[1:2], "demo")[53:]
    'pre-training has no detectable effect on accuracy after fine-tuning.'
    """
    uses = {
        verdict: [USES[str(question)] for question in effects.index[effects["accuracy told"] == verdict]]
        for verdict in ("higher", "lower", "inconclusive")
    }
    verbs = [(verb, " and ".join(uses[verdict])) for verdict, verb in (("higher", "raises"), ("lower", "lowers"))]
    said = [f"{verb} accuracy {where}" for verb, where in verbs if where]
    text, unclear = (
        " and ".join(said).replace(" and lowers accuracy", " and lowers it"),
        " or ".join(uses["inconclusive"]),
    )
    if not text:
        text = f"has no detectable effect on accuracy {unclear}"
    elif unclear:
        text += f"; {unclear} no effect is detectable"
    return f"In the runs here ({data}), with everything else equal, pre-training {text}."
