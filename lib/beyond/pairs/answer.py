"""What pre-training on pairs adds to video alone (4.4): paired differences, their intervals, and their power.

Both methods in a difference have the same labelled videos, seeds and test people. An interval must cover other people
and other seeds, so both are resampled, independently of each other (Owen, The pigeonhole bootstrap, Annals of Applied
Statistics 1, 2007): the people over all splits, each with both videos, and the seeds within each split.

`scores` and `pretrainings` are the tables of lib.beyond.pairs.experiment; `found` is made by `effects`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.beyond.controls.intervals import with_interval
from lib.data.dataset import person
from lib.pretraining.experiment import at_equal, compare
from lib.scoring.folders import MEASURES
from lib.scoring.stats import detectable_difference, direction_of, mean_interval, verdict
from lib.scoring.words import interval, written

RESAMPLES = 4000
# head, whether the tower is frozen, what the head reads -> how video alone is used; the first decides
WAYS = {
    ("asformer", False, "states"): "ASFormer, tower learns",
    ("asformer", True, "states"): "ASFormer, tower frozen",
    ("linear", False, "states"): "linear, tower learns",
    ("linear", True, "states"): "linear, tower frozen",
    ("linear", True, "features and states"): "linear, features and frozen tower",
}
DECIDES = "ASFormer, tower learns"
SCRATCH, SHUFFLED = "against no pre-training", "against shuffled pairs"
# pairs among random negatives in place of mined ones
EASIER = "random negatives, against no pre-training"
# what is asked -> start, start less
CONTRASTS = {
    SCRATCH: ("pairs", "untrained"),
    SHUFFLED: ("pairs", "shuffled"),
    "against video alone": ("pairs", "unimodal"),
    EASIER: ("random negatives", "untrained"),
    "random negatives, against shuffled pairs": ("random negatives", "shuffled"),
    "shuffled pairs, against no pre-training": ("shuffled", "untrained"),
}
LOSSES = {"random_loss": "loss, random clusters", "hard_loss": "loss, mined clusters", "ridge": "linear probe, %"}
# column of a history -> what runs are made equal in
EQUAL = {"update": "updates", "pairs": "pairs"}


def ways(scores: pd.DataFrame) -> pd.DataFrame:
    """Add a column `way`, one of WAYS, to the scores; heads that read the features alone are left out."""
    keys = pd.MultiIndex.from_frame(scores[["head", "frozen", "inputs"]])
    return scores.assign(way=keys.map(WAYS)).dropna(subset="way")


def by_person(scores: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Average over each person's videos: index (split, person), one column per seed."""
    people = scores.assign(person=scores["video"].map(person))
    return people.pivot_table(index=["split", "person"], columns="seed", values=measure)


def resampled_means(values: pd.DataFrame, resamples: int = RESAMPLES) -> np.ndarray:
    """Means of resampled people and seeds, (resamples,).

    >>> one = pd.DataFrame([[1.0, 1.0], [3.0, 3.0]], pd.MultiIndex.from_tuples([(1, "a"), (1, "b")]))
    >>> sorted({float(mean) for mean in resampled_means(one, 50)})
    [1.0, 2.0, 3.0]
    """
    rng, (people, seeds) = np.random.default_rng(0), values.shape
    splits, place = np.unique(values.index.get_level_values(0), return_inverse=True)
    of_seed = rng.multinomial(seeds, np.full(seeds, 1 / seeds), (resamples, len(splits))) / seeds
    of_person = rng.multinomial(people, np.full(people, 1 / people), resamples) / people
    means = np.einsum("ps,rps->rp", values.to_numpy(), of_seed[:, place])
    return (means * of_person).sum(axis=1)


def estimate(values: pd.DataFrame, measure: str) -> dict[str, float]:
    """Mean, its 95 % interval, and the difference that would be found with a chance of 80 %, named by the measure."""
    means = resampled_means(values)
    spread = float(means.std(ddof=1)) * np.sqrt(len(values))
    found = detectable_difference(spread, len(values)) if spread else float("nan")
    return with_interval(measure, values.to_numpy().mean(), means) | {f"{measure} detectable": found}


def effects(scores: pd.DataFrame, labelled: int) -> pd.DataFrame:
    """Gain from pre-training, in points, in each way to use a tower, if the head saw the labels of `labelled` videos.

    Returns rows (way, contrast), those that were run; for each of MEASURES the difference, low, high, detectable,
    direction ("higher", "lower" or "inconclusive"); seeds.
    """
    rows, named = {}, ways(scores[scores["labelled"] == labelled])
    for way in WAYS.values():
        starts = {str(start): part for start, part in named[named["way"] == way].groupby("start")}
        for contrast, (first, second) in CONTRASTS.items():
            if {first, second} <= starts.keys():
                row: dict[str, float | str] = {}
                for measure in MEASURES:
                    differ = by_person(starts[first], measure) - by_person(starts[second], measure)
                    row |= estimate(differ, measure)
                    row |= {f"{measure} direction": direction_of(row, measure), "seeds": differ.shape[1]}
                rows[way, contrast] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["way", "contrast"])


def judged(found: pd.DataFrame, measure: str) -> str:
    """Give the verdict on "pre-training on pairs helps video alone" in the way that decides, by the one rule.

    If shuffled pairs bring the same gain over no pre-training, its cause may be something other than the pairs.

    >>> rows = pd.MultiIndex.from_product([[DECIDES], [SCRATCH, SHUFFLED]])
    >>> table = pd.DataFrame({"accuracy low": [0.1, -0.1], "accuracy high": [0.3, 0.3]}, index=rows)
    >>> judged(table, "accuracy"), judged(table.assign(**{"accuracy low": 0.1}), "accuracy")
    ('inconclusive', 'supported')
    """
    causes = 1 if direction_of(found.loc[(DECIDES, SHUFFLED)], measure) == "higher" else 2
    return verdict(direction_of(found.loc[(DECIDES, SCRATCH)], measure), "higher", causes)


def levels(scores: pd.DataFrame) -> pd.DataFrame:
    """Rows (way, start, labelled): seeds and, for each of MEASURES, its mean, low, high, detectable; percent."""
    rows = {}
    alone = scores[(scores["inputs"] == "features") & (scores["start"] == "untrained")]
    every = pd.concat([ways(scores), alone.assign(way="linear, features and frozen tower", start="features alone")])
    for keys, part in every.groupby(["way", "start", "labelled"], sort=False):
        row: dict[str, float] = {"seeds": part["seed"].nunique()}
        for measure in MEASURES:
            row |= estimate(by_person(part, measure), measure)
        rows[keys] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["way", "start", "labelled"])


def few_labels(scores: pd.DataFrame) -> pd.DataFrame:
    """`effects` against no pre-training and against shuffled pairs for each number of labelled videos."""
    parts = {count: effects(scores, count) for count in sorted(scores["labelled"].unique(), reverse=True)}
    found = pd.concat(parts, names=["labelled"]).reorder_levels(["way", "contrast", "labelled"])
    return found[found.index.get_level_values("contrast").isin([SCRATCH, SHUFFLED])]


def verdict_sentence(found: pd.DataFrame, data: str) -> str:
    """Give the answer to quote, its first sentence in bold. `found`: with all labelled videos."""
    main, control, easier = (found.loc[(DECIDES, contrast)] for contrast in (SCRATCH, SHUFFLED, EASIER))

    def both(row: pd.Series) -> str:
        return " and ".join(f"{interval(row, measure)} of {title}" for measure, title in MEASURES.items())

    gains = " and ".join(
        f"{interval(main, measure)} points of {title} ({judged(found, measure)})" for measure, title in MEASURES.items()
    )
    excluded, detectable = (
        " and ".join(written(float(main[f"{measure} {end}"])) for measure in MEASURES) for end in ("high", "detectable")
    )
    return (
        f"**On real pairs ({data}), pre-training on video and sensors changes a model of video alone, all else equal, "
        f"by {gains}.** Gains above {excluded} are excluded; {detectable} would have been found with a chance of 80 %. "
        f"Against shuffled pairs the difference is {both(control)}; with random negatives in place of mined ones "
        f"it is {both(easier)}."
    )


def variants_table(pretrainings: pd.DataFrame) -> pd.DataFrame:
    """Compare pre-trainings on pairs at equal updates and at equal pairs: means over splits and seeds, ± half interval.

    Returns columns equal, C, negatives, updates, pairs, runs and, for each of LOSSES, the mean and "… ±".
    """
    parts, found = [], measured(pretrainings)
    for by, equal in EQUAL.items():
        table = compare(found, by, LOSSES).rename(columns={"clusters": "C"})
        table.insert(0, "equal", equal)
        table.insert(5, "runs", at_equal(found, by).groupby(["clusters", "negatives"]).size().to_numpy())
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def measured(pretrainings: pd.DataFrame) -> pd.DataFrame:
    """Rows of pre-trainings on pairs where something was measured; a run is a split and a seed."""
    pairs = pretrainings[pretrainings["partner"] == "sensors"].dropna(subset="ridge")
    return pairs.assign(seed=pairs["split"].astype(str) + "." + pairs["seed"].astype(str))


def variant_differences(pretrainings: pd.DataFrame, clusters: Sequence[int]) -> pd.DataFrame:
    """Compare each C with the first, and stale and random clusters with fresh ones, paired by split and seed.

    Returns rows (what, equal); for each of LOSSES the mean, low, high, direction and detectable, or nothing where both
    runs are the same.
    """
    first, found, rows = clusters[0], measured(pretrainings), {}
    asked = {f"C = {other} against {first}": (other, "fresh") for other in clusters[1:]}
    asked |= {f"{kind} against fresh": (first, kind) for kind in ("stale", "random")}
    for by, equal in EQUAL.items():
        values = at_equal(found, by)
        for what, variant in asked.items():
            row: dict[str, float | str] = {}
            for measure in LOSSES if variant in values.index.droplevel("seed") else ():
                differ = values.loc[variant, measure] - values.loc[(first, "fresh"), measure]
                if not differ.any():
                    # in the first epoch, stale clusters are fresh
                    continue
                mean, half = mean_interval(differ.tolist())
                detectable = detectable_difference(float(differ.std()), len(differ))
                row |= {measure: mean, f"{measure} low": mean - half, f"{measure} high": mean + half}
                row |= {f"{measure} direction": direction_of(row, measure), f"{measure} detectable": detectable}
            rows[what, equal] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["what", "equal"])
