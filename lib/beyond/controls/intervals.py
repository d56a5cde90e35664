"""Accuracy and F1@50 of the controls and their differences, with intervals by resampling videos and seeds (4.2, 4.5).

A method's value is the mean over its seeds of the score over all test videos. Its interval is that of the mean under
other videos and, where there are several, other seeds (`lib.scoring.stats.resampled`): the same draws for both methods
of a difference. Videos of one person are alike and seeds are few, so intervals tend to be too narrow.

`metrics` is made by `lib.scoring.folders.score_methods`, `found` by `differences`.
"""

import math
from collections.abc import Mapping
from typing import get_args

import numpy as np
import pandas as pd

from lib.scoring.folders import MEASURES
from lib.scoring.metrics import METRICS, Convention
from lib.scoring.published import published_table
from lib.scoring.stats import direction_of, needed, resampled


def estimates(methods: Mapping[str, Mapping[str, np.ndarray]], resamples: int = 2000) -> pd.DataFrame:
    """One row per method: seeds, videos and, for each measure, its value, low, high and the spread of the seeds.

    `methods`: method -> its items (`lib.scoring.folders.video_items`).
    """
    rows = {}
    for name, videos in methods.items():
        parts = np.stack(list(videos.values()))
        seeds = scores(parts)
        row: dict[str, float] = {"seeds": len(seeds), "videos": len(videos)}
        drawn = resampled(parts, resamples)
        for number, measure in enumerate(MEASURES):
            row |= with_interval(measure, seeds[:, number].mean(), drawn[:, number])
            row[f"{measure} seeds"] = float(np.std(seeds[:, number], ddof=1)) if len(seeds) > 1 else float("nan")
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def scores(parts: np.ndarray) -> np.ndarray:
    """Score of each seed in each measure, percent, (S, M). `parts`: as in `resampled`."""
    top, bottom = np.moveaxis(parts.sum(axis=0), -1, 0)
    return 100 * top / np.maximum(bottom, 1e-9)


def differences(
    methods: Mapping[str, Mapping[str, np.ndarray]], asked: Mapping[str, tuple[str, str]], resamples: int = 2000
) -> pd.DataFrame:
    """Differences of methods in both measures, in points, with the 95 % interval over videos and seeds of both.

    `asked`: question -> (method, method to subtract); questions about missing methods are left out.

    Returns one row per question: method, less, and for each measure the difference, low, high, direction ("higher",
    "lower" or "inconclusive"), and how many videos or seeds it would take to find this difference (`needed`).
    """
    rows = {}
    for question, names in asked.items():
        if {*names} <= set(methods):
            videos = list(methods[names[0]])
            one, other = (np.stack([methods[name][video] for video in videos]) for name in names)
            found = scores(one).mean(axis=0) - scores(other).mean(axis=0)
            drawn = resampled(one, resamples) - resampled(other, resamples)
            fixed = resampled(one, resamples, seeds=False) - resampled(other, resamples, seeds=False)
            row: dict[str, str | float] = {"method": names[0], "less": names[1]}
            for number, measure in enumerate(MEASURES):
                row |= with_interval(measure, found[number], drawn[:, number])
                row[f"{measure} direction"] = direction_of(row, measure)
                by_videos, both = fixed[:, number].var(), drawn[:, number].var()
                seeds, spread = min(one.shape[1], other.shape[1]), max(0.0, both - by_videos)
                enough = needed(found[number], len(videos), by_videos, seeds, spread)
                row[f"{measure} videos needed"], row[f"{measure} seeds needed"] = enough
            rows[question] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("question")


def with_interval(name: str, value: float, drawn: np.ndarray) -> dict[str, float]:
    """A value and the 95 % interval of its resampled values."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {name: float(value), f"{name} low": float(low), f"{name} high": float(high)}


def power_sentence(found: pd.DataFrame) -> str:
    """Say what it would take to decide the undecided questions.

    >>> columns = ["accuracy direction", "accuracy videos needed", "accuracy seeds needed"]
    >>> rows = {"A": ["higher", 9, 9], "B": ["inconclusive", 240, math.inf], "C": ["inconclusive", math.inf, math.inf]}
    >>> power_sentence(pd.DataFrame.from_dict(rows, orient="index", columns=columns))[131:]
    'B: 240 videos. C: more videos and more seeds.'
    """
    open_ones = found[found["accuracy direction"] == "inconclusive"]
    if open_ones.empty:
        return ""
    needs = []
    for question, row in open_ones.iterrows():
        ways = {what: row[f"accuracy {what} needed"] for what in ("videos", "seeds")}
        finite = [f"{number:.0f} {what}" for what, number in ways.items() if not math.isinf(number)]
        needs.append(f"{question}: {' or '.join(finite) or 'more videos and more seeds'}.")
    return (
        "If the undecided differences in accuracy are as large as they look, an 80 % chance of finding them takes, "
        f"with all else unchanged: {' '.join(needs)}"
    )


def conventions_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """Table with rows (method, convention): the five metrics in percent, mean over splits and seeds."""
    whole = metrics.query("video == 'all'").rename(columns={"protocol": "convention"})
    means = whole.pivot_table(index=["method", "convention"], columns="metric", values="value")[list(METRICS)]
    return means.reindex(list(get_args(Convention)), level="convention").rename_axis(columns=None)


def with_references(conventions: pd.DataFrame) -> pd.DataFrame:
    """Append the published scores on the same data, in their convention, to a `conventions_table`."""
    published = published_table("scores_references").drop(index="svm")
    names = [published.index + ", published", ["lea"]]
    published.index = pd.MultiIndex.from_product(names, names=["method", "convention"])
    return pd.concat([conventions, published])


def seeds_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """Spread per method of several seeds: "<metric>, seeds" within a split, "<metric>, splits" of the splits' means."""
    whole, rows = metrics.query("video == 'all'"), {}
    for method, part in whole.groupby("method", sort=False):
        if part["seed"].nunique() > 1:
            splits = part.pivot(index=["split", "seed"], columns="metric", values="value").groupby("split")
            spreads = {"seeds": splits.std().mean(), "splits": splits.mean().std()}
            rows[method] = {f"{metric}, {of}": spread[metric] for metric in METRICS for of, spread in spreads.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


USES = {  # questions on pre-training, and where it is used
    "Pre-training, zero-shot": "zero-shot",
    "Pre-training, fine-tuned": "after fine-tuning",
    "Pre-trained states against untrained, probe": "in a linear probe",
}


def effect_sentence(effects: pd.DataFrame, data: str) -> str:
    """Say what pre-training does to accuracy, all else equal, on the named data. `effects`: rows of USES.

    >>> decided = pd.DataFrame({"accuracy direction": ["higher", "inconclusive", "lower"]}, index=list(USES))
    >>> effect_sentence(decided, "demo")[53:]
    'pre-training raises accuracy zero-shot and lowers it in a linear probe; after fine-tuning no effect is detectable.'
    >>> effect_sentence(decided.iloc[:1], "demo")
    'In the runs here (demo), with everything else equal, pre-training raises accuracy zero-shot.'
    >>> effect_sentence(decided.iloc[1:2], "demo")[53:]
    'pre-training has no detectable effect on accuracy after fine-tuning.'
    """
    uses = {
        found: [USES[str(question)] for question in effects.index[effects["accuracy direction"] == found]]
        for found in ("higher", "lower", "inconclusive")
    }
    verbs = {"higher": "raises", "lower": "lowers"}
    said = [f"{verb} accuracy {' and '.join(uses[found])}" for found, verb in verbs.items() if uses[found]]
    text = " and ".join(said).replace(" and lowers accuracy", " and lowers it")
    unclear = " or ".join(uses["inconclusive"])
    if not text:
        text = f"has no detectable effect on accuracy {unclear}"
    elif unclear:
        text += f"; {unclear} no effect is detectable"
    return f"In the runs here ({data}), with everything else equal, pre-training {text}."
