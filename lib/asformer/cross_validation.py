"""The cross-validation of ASFormer on one feature set (thesis 2.3.1 and 2.3.3): train, predict, score, collate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import pandas as pd

from lib.asformer.training import best_on_test, train_split
from lib.backbones.probe import linear_probe
from lib.core.training import histories
from lib.data.dataset import Dataset, Trim
from lib.data.profile import Profile
from lib.scoring.folders import Cell, cells_of, score_methods
from lib.scoring.metrics import METRICS
from lib.scoring.published import published_curve
from lib.scoring.words import number, span

COLUMNS = [*METRICS, "best_accuracy", "best_epoch"]


def baseline_table(rows: Mapping[Any, Mapping[str, float]], mean: bool = True) -> pd.DataFrame:
    """Rows in the thesis's units, with the mean below.

    Args:
        rows: split (or way to trim) -> scores in percent (`accuracy`, `edit`, `f1@…`), `best_accuracy` in percent and
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
    """The results of all splits.

    Attributes:
        history: a row per split and epoch (lib.asformer.training.train_split), with a column split.
        table: the thesis's columns, a row per split and the mean (lib.asformer.cross_validation.baseline_table).
        metrics: the long table, also for each video.
    """

    history: pd.DataFrame
    table: pd.DataFrame
    metrics: pd.DataFrame


def cross_validate(profile: Profile, dataset: Dataset, method: str) -> CrossValidation:
    """Train and predict the splits of this run, or read those that are done, and score what was predicted.

    Args:
        method: names runs, predictions and rows, e.g. "asformer_own".
    """
    parts: dict[object, pd.DataFrame] = {k: train(profile, dataset, method, k) for k in profile.splits}
    metrics = score_methods(profile, dataset, cells_of(profile, [method]))
    rows = {split: _row(metrics[metrics["split"] == split], history) for split, history in parts.items()}
    return CrossValidation(histories(parts, "split"), baseline_table(rows), metrics)


def train(profile: Profile, dataset: Dataset, method: str, split: int, seed: int | None = None) -> pd.DataFrame:
    """Train on one split and predict its test videos, or read a finished run; return the history."""
    run, predictions = profile.out.run(method, split, seed), profile.out.predictions(method, split, seed)
    scoring = {"convention": profile.params.data.convention, "ignore": profile.params.data.ignore}
    return train_split(dataset, split, profile.params.asformer, run, predictions, seed=seed, **scoring)


def trimming_experiment(profile: Profile) -> CrossValidation:
    """Features outlast the labels by a few vectors: train split 1 once for each way to cut them (thesis 2.3.2).

    Returns:
        As of a cross-validation, with the ways to cut in place of the splits (Table 2).
    """
    methods = {trim: f"asformer_trim_{trim}" for trim in get_args(Trim)}
    parts: dict[object, pd.DataFrame] = {
        trim: train(profile, profile.dataset(profile.own_features, trim), method, split=1)
        for trim, method in methods.items()
    }
    cells = [Cell(method, 1, profile.out.predictions(method, 1)) for method in methods.values()]
    metrics = score_methods(profile, profile.dataset(), cells)
    rows = {trim: _row(metrics[metrics["method"] == methods[trim]], history) for trim, history in parts.items()}
    table = baseline_table(rows, mean=False).rename_axis("trim")
    return CrossValidation(histories(parts, "trim"), table, metrics)


def _row(metrics: pd.DataFrame, history: pd.DataFrame) -> dict[str, float]:
    """A row of `baseline_table`: the scores of all videos together, and the best epoch on test."""
    best = best_on_test(history)
    scores = metrics.query("video == 'all'").set_index("metric")["value"]
    return {**scores, "best_accuracy": best["accuracy"], "best_epoch": best["epoch"]}


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
            method = f"asformer_{name}_backbone"
            history = train(profile, dataset, method, split=1, seed=seed)
            cell = Cell(method, 1, profile.out.predictions(method, 1, seed))
            scores = _row(score_methods(profile, dataset, [cell]), history)
            rows[name, seed] = {"linear probe": probe} | {metric: scores[metric] for metric in METRICS}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["backbone", "seed"])


def backbone_gain(comparison: pd.DataFrame) -> str:
    """What the trained backbone adds to the random one, and how far ASFormer's seeds lie apart.

    >>> index = pd.MultiIndex.from_product([["trained", "random"], [1, 2]], names=["backbone", "seed"])
    >>> columns = {"linear probe": [50.0, 50, 30, 30], "accuracy": [70.0, 74, 40, 40], "f1@50": [60.0, 60, 35, 35]}
    >>> print(backbone_gain(pd.DataFrame(columns, index)))
    Trained against random: linear probe 50.0 and 30.0, accuracy 72.0 and 40.0, F1@50 60.0 and 35.0.
    Between seeds, the accuracy of the trained varies by 4.0 points: the yardstick for the trimming table above.
    """
    means = comparison.groupby("backbone").mean()
    names = {"linear probe": "linear probe", "accuracy": "accuracy", "f1@50": "F1@50"}
    pairs = [
        f"{name} {means.loc['trained', key]:.1f} and {means.loc['random', key]:.1f}" for key, name in names.items()
    ]
    accuracy = comparison.loc["trained", "accuracy"]
    return (
        f"Trained against random: {', '.join(pairs)}.\nBetween seeds, the accuracy of the trained varies by "
        f"{accuracy.max() - accuracy.min():.1f} points: the yardstick for the trimming table above."
    )


def training_ended(history: pd.DataFrame) -> str:
    """How well the training videos are known after the last epoch, and the learning rate then.

    >>> row = {"epoch": 3, "train_accuracy": 91.0, "learning_rate": 5e-4}
    >>> training_ended(pd.DataFrame([row, row | {"train_accuracy": 93.0}]))
    'After 3 epochs the training accuracy is 92.0 % (91.0 to 93.0 by split), the learning rate 5.0e-04.'
    >>> training_ended(pd.DataFrame([row]))
    'After 3 epochs the training accuracy is 91.0 %, the learning rate 5.0e-04.'
    """
    last = history[history["epoch"] == history["epoch"].max()]
    accuracy = last["train_accuracy"]
    splits = f" ({span(accuracy)} by split)" if accuracy.nunique() > 1 else ""
    rates = " to ".join(f"{rate:.1e}" for rate in sorted(last["learning_rate"].unique()))
    return (
        f"After {last['epoch'].max()} epochs the training accuracy is {accuracy.mean():.1f} %{splits}, "
        f"the learning rate {rates}."
    )


def training_went_on(tested: pd.DataFrame) -> str:
    """What the second half of the training changed on the test videos, on average over the splits.

    >>> rows = [(1, 2, 70.0, 50.0), (1, 4, 71.5, 49.96)]
    >>> training_went_on(pd.DataFrame(rows, columns=["split", "epoch", "accuracy", "f1@50"]))
    'The second half of the training changes accuracy by +1.5 points and F1@50 by +0.0.'
    """
    half = tested[tested["epoch"] <= tested["epoch"].max() / 2].groupby("split").last()
    gain = (tested.groupby("split").last() - half).mean()
    accuracy, f1 = (number(gain[name], "+.1f") for name in ("accuracy", "f1@50"))
    return f"The second half of the training changes accuracy by {accuracy} points and F1@50 by {f1}."


def published_history() -> pd.DataFrame:
    """The thesis's test accuracy of the baseline (percent), read off its notebook: columns epoch, split, accuracy."""
    curve = 100 * published_curve("baseline").rename_axis("epoch")
    return curve.melt(ignore_index=False, var_name="split", value_name="accuracy").reset_index()


def compared(sources: Mapping[str, pd.Series]) -> str:
    """Accuracy, edit score and F1@50 of several tables.

    >>> row = pd.Series({"accuracy": 0.85, "edit": 79.6, "f1@50": 0.76})
    >>> compared({"here": row, "in the thesis": row})
    'Accuracy 0.850, edit 79.6, F1@50 0.760 here; 0.850, 79.6, 0.760 in the thesis.'
    """
    forms = {"accuracy": ("Accuracy", ".3f"), "edit": ("edit", ".1f"), "f1@50": ("F1@50", ".3f")}
    texts = {}
    for place, (where, row) in enumerate(sources.items()):
        numbers = [f"{'' if place else name + ' '}{number(row[key], form)}" for key, (name, form) in forms.items()]
        texts[where] = ", ".join(numbers)
    return "; ".join(f"{text} {where}" for where, text in texts.items()) + "."


def selection_gain(sources: Mapping[str, pd.Series]) -> str:
    """What choosing the epoch on the test videos would have added.

    >>> selection_gain({"here": pd.Series({"accuracy": 0.85, "best_accuracy": 0.86})})
    'Choosing the epoch on the test videos would add 0.010 here.'
    """
    gains = [f"{number(row['best_accuracy'] - row['accuracy'], '.3f')} {where}" for where, row in sources.items()]
    return f"Choosing the epoch on the test videos would add {' and '.join(gains)}."
