"""The cross-validation of ASFormer on one feature set (thesis 2.3.1 and 2.3.3): train, predict, score, collate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lib.asformer.training import best_on_test, train_split
from lib.backbones.probe import linear_probe
from lib.core.processes import only_one
from lib.core.training import histories
from lib.data.dataset import Dataset
from lib.data.profile import Profile
from lib.scoring.conclusion import TRIMMED
from lib.scoring.folders import Cell, cells_of, score_methods
from lib.scoring.metrics import METRICS

COLUMNS = [*METRICS, "best_accuracy", "best_epoch"]


def baseline_table(rows: Mapping[Any, Mapping[str, float]], mean: bool = True) -> pd.DataFrame:
    """Arrange rows (`_row`), by split or way to trim, in the thesis's units, with the mean below; the index is split.

    Accuracy and F1 become fractions, edit stays in percent. The best epoch is chosen on test, as in the thesis.
    """
    table = pd.DataFrame.from_dict(rows, orient="index")[COLUMNS].astype(float)
    table[["accuracy", "f1@10", "f1@25", "f1@50", "best_accuracy"]] /= 100
    table.index = table.index.map(str)
    if mean and len(table) > 1:
        table.loc["mean"] = table.mean()
        table.loc["mean", "best_epoch"] = float("nan")
    return table.rename_axis("split")


@dataclass(frozen=True)
class CrossValidation:
    """The results of all splits."""

    history: pd.DataFrame  # of the first repeat: a row per split and epoch, as `train_split` writes it
    table: pd.DataFrame  # the thesis's columns, a row per split and the mean (`baseline_table`)
    metrics: pd.DataFrame  # the long table, also for each video


def cross_validate(profile: Profile, dataset: Dataset, method: str) -> CrossValidation:
    """Train and predict the splits of this run, or read those that are done, and score what was predicted.

    `method`: names runs, predictions and rows, e.g. "asformer_own".
    """
    runs = {
        split: [train(profile, dataset, method, split, repeat or None) for repeat in profile.repeats]
        for split in profile.splits
    }
    metrics = score_methods(profile, dataset, cells_of(profile, [method]))
    rows = {split: _row(metrics[metrics["split"] == split], *several) for split, several in runs.items()}
    parts: dict[object, pd.DataFrame] = {split: first for split, (first, *_) in runs.items()}
    return CrossValidation(histories(parts, "split"), baseline_table(rows), metrics)


def train(profile: Profile, dataset: Dataset, method: str, split: int, seed: int | None = None) -> pd.DataFrame:
    """Train on one split and predict its test videos, or read a finished run; return the history.

    Sections share trainings, such as the baseline's first; while one trains, the other waits.
    """
    run, predictions = profile.out.run(method, split, seed), profile.out.predictions(method, split, seed)
    scoring = {"convention": profile.params.data.convention, "ignore": profile.params.data.ignore}
    with only_one(run / ".lock"):
        return train_split(dataset, split, profile.params.asformer, run, predictions, seed=seed, **scoring)


def trimming_experiment(profile: Profile) -> CrossValidation:
    """Train split 1 once for each way to cut features that outlast the labels by a few vectors (thesis 2.3.2).

    The result is like that of a cross-validation, with the ways to cut in place of the splits (Table 2).
    """
    parts = {
        trim: train(profile, profile.dataset(profile.own_features, trim), method, split=1)
        for trim, method in TRIMMED.items()
    }
    names = {trim: f"asformer_trim_{trim}" for trim in TRIMMED}
    cells = [Cell(names[trim], 1, profile.out.predictions(method, 1)) for trim, method in TRIMMED.items()]
    metrics = score_methods(profile, profile.dataset(), cells)
    rows = {trim: _row(metrics[metrics["method"] == names[trim]], history) for trim, history in parts.items()}
    table = baseline_table(rows, mean=False).rename_axis("trim")
    return CrossValidation(histories(dict(parts.items()), "trim"), table, metrics)


def _row(metrics: pd.DataFrame, *runs: pd.DataFrame) -> dict[str, float]:
    """A row of `baseline_table`: the scores of all videos together and the best epoch on test; means over the runs."""
    best = pd.DataFrame(map(best_on_test, runs)).mean()
    scores = metrics.query("video == 'all'").groupby("metric")["value"].mean()
    return {**scores, "best_accuracy": best["accuracy"], "best_epoch": best["epoch"]}


def backbone_comparison(profile: Profile, sets: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Compare feature sets on split 1 by a linear probe and by ASFormer, trained as often as the profile repeats.

    `sets`: name of the backbone -> its feature set, and the method that trains on it.

    Returns rows (backbone, training); columns linear probe, accuracy, edit, f1@10, f1@25, f1@50, in percent.
    """
    rows = {}
    for name, (features, method) in sets.items():
        dataset = profile.dataset(features, "end")
        probe = linear_probe(dataset, split=1, every=profile.params.asformer.sample_rate * 2)
        for repeat in profile.repeats:
            seed = repeat or None
            history = train(profile, dataset, method, split=1, seed=seed)
            cell = Cell(method, 1, profile.out.predictions(method, 1, seed))
            scores = _row(score_methods(profile, dataset, [cell]), history)
            rows[name, repeat + 1] = {"linear probe": probe} | {metric: scores[metric] for metric in METRICS}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["backbone", "training"])
