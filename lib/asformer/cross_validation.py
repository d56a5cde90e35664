"""The cross-validation of ASFormer on one feature set (thesis 2.3.1 and 2.3.3): train, predict, score, collate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lib.asformer.training import best_on_test, train_split
from lib.backbones.probe import linear_probe
from lib.core.training import histories
from lib.data.dataset import Dataset
from lib.data.predictions import prediction_pairs
from lib.data.profile import Profile
from lib.scoring.metrics import METRICS, metric_table, score

COLUMNS = [*METRICS, "best_accuracy", "best_epoch"]


def baseline_table(rows: Mapping[Any, Mapping[str, float]], mean: bool = True) -> pd.DataFrame:
    """Rows in the thesis's units, with the mean below.

    Args:
        rows: split (or trimming) -> scores in percent (`accuracy`, `edit`, `f1@…`), `best_accuracy` in percent and
            `best_epoch`, chosen on the test videos as in the thesis.
        mean: add it below, where there is more than one row.

    Returns:
        Accuracy and F1 as fractions, edit in percent; the index is called split.
    """
    table = pd.DataFrame.from_dict(rows, orient="index")[COLUMNS].astype(float)
    table[["accuracy", "f1@10", "f1@25", "f1@50", "best_accuracy"]] /= 100
    table.index = table.index.map(str)
    if mean and len(table) > 1:
        table.loc["mean"] = table.mean()
        table.loc["mean", "best_epoch"] = float("nan")
    return table.rename_axis("split")


SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class CrossValidation:
    """What the splits gave.

    Attributes:
        history: a row a split and epoch (lib.asformer.training.train_split), with a column split.
        table: the thesis's columns, a row a split and the mean (lib.asformer.cross_validation.baseline_table).
        metrics: the long table, also for each video.
    """

    history: pd.DataFrame
    table: pd.DataFrame
    metrics: pd.DataFrame


def cross_validate(profile: Profile, dataset: Dataset, method: str) -> CrossValidation:
    """Train and predict the notebook's splits, or read those that are done, and score what was predicted.

    Args:
        method: names runs, predictions and rows, e.g. "asformer_own".
    """
    runs = {split: train_and_score(profile, dataset, method, split) for split in profile.splits}
    return CrossValidation(
        histories({split: run.history for split, run in runs.items()}, "split"),
        baseline_table({split: run.scores for split, run in runs.items()}),
        pd.concat(run.metrics for run in runs.values()),
    )


@dataclass(frozen=True)
class Run:
    """One training: its history, its scores in percent (with the best on test), the long metric table."""

    history: pd.DataFrame
    scores: dict[str, float]
    metrics: pd.DataFrame


def train_and_score(profile: Profile, dataset: Dataset, method: str, split: int, seed: int | None = None) -> Run:
    """Train on one split (or read a finished run) and score the predictions that it wrote."""
    run, predictions = profile.out.run(method, split, seed), profile.out.predictions(method, split, seed)
    scoring = {"convention": profile.params.data.convention, "ignore": profile.params.data.ignore}
    history = train_split(dataset, split, profile.params.asformer, run, predictions, seed=seed, **scoring)
    pairs = prediction_pairs(predictions, dataset, dataset.split(split)[1])
    best = best_on_test(history)
    scores = score(pairs.values(), **scoring) | {"best_accuracy": best["accuracy"], "best_epoch": best["epoch"]}
    return Run(history, scores, metric_table(pairs, section=profile.section, method=method, split=split, **scoring))


def trimming_experiment(profile: Profile) -> CrossValidation:
    """Features outlast the labels by a few vectors: train split 1 once for each way to cut them (thesis 2.3.2).

    Returns:
        As of a cross-validation, with the ways to cut in place of the splits (Table 2).
    """
    runs = {
        trim: train_and_score(profile, profile.dataset(profile.own_features, trim), f"asformer_trim_{trim}", split=1)
        for trim in ("start", "both_ends", "end")
    }
    table = baseline_table({trim: run.scores for trim, run in runs.items()}, mean=False).rename_axis("trim")
    history = histories({trim: run.history for trim, run in runs.items()}, "trim")
    return CrossValidation(history, table, pd.concat(run.metrics for run in runs.values()))


def backbone_comparison(profile: Profile, sets: Mapping[str, str]) -> pd.DataFrame:
    """Linear probe and ASFormer with three seeds on split 1, for each feature set.

    Args:
        sets: name of the backbone -> feature set.

    Returns:
        Rows (backbone, seed); columns linear probe, accuracy, edit, f1@10, f1@25, f1@50, in percent.
    """
    rows = {}
    for name, features in sets.items():
        dataset = profile.dataset(features, "end")
        probe = linear_probe(dataset, split=1, every=profile.params.asformer.sample_rate * 2)
        for seed in SEEDS:
            scores = train_and_score(profile, dataset, f"asformer_{name}_backbone", split=1, seed=seed).scores
            rows[name, seed] = {"linear probe": probe} | {metric: scores[metric] for metric in METRICS}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["backbone", "seed"])
