"""Computed sentences of the chapters on ASFormer (2.3), each a short function of the numbers it reads."""

from collections.abc import Mapping

import pandas as pd

from lib.scoring.published import published_curve, published_table
from lib.scoring.words import span, written


def backbone_gain(comparison: pd.DataFrame) -> str:
    """Say what the trained backbone gains over the random one, and how far apart ASFormer's seeds lie.

    >>> index = pd.MultiIndex.from_product([["trained", "random"], [1, 2]], names=["backbone", "training"])
    >>> columns = {"linear probe": [50.0, 50, 30, 30], "accuracy": [70.0, 74, 40, 40], "f1@50": [60.0, 60, 35, 35]}
    >>> print(backbone_gain(pd.DataFrame(columns, index)))
    Trained against random: linear probe 50.0 and 30.0, accuracy 72.0 and 40.0, F1@50 60.0 and 35.0.
    Between seeds, the accuracy of the trained varies by 4.0 points: the yardstick for the trimming table above.
    """
    means = comparison.groupby("backbone").mean()
    pairs = [
        f"{name.replace('f1', 'F1')} {means.loc['trained', name]:.1f} and {means.loc['random', name]:.1f}"
        for name in ("linear probe", "accuracy", "f1@50")
    ]
    accuracy = comparison.loc["trained", "accuracy"]
    against = f"Trained against random: {', '.join(pairs)}."
    if len(accuracy) == 1:
        return f"{against} One training each."
    return (
        f"{against}\nBetween seeds, the accuracy of the trained varies by "
        f"{accuracy.max() - accuracy.min():.1f} points: the yardstick for the trimming table above."
    )


def training_ended(history: pd.DataFrame) -> str:
    """Training accuracy after the last epoch, and the learning rate then.

    >>> row = {"epoch": 3, "train_accuracy": 91.0, "learning_rate": 5e-4}
    >>> training_ended(pd.DataFrame([row, row | {"train_accuracy": 93.0}]))
    'After epoch 3 the training accuracy is 92.0 % (91.0 to 93.0 by split), the learning rate 5.0e-04.'
    >>> training_ended(pd.DataFrame([row]))
    'After epoch 3 the training accuracy is 91.0 %, the learning rate 5.0e-04.'
    """
    last = history[history["epoch"] == history["epoch"].max()]
    accuracy = last["train_accuracy"]
    splits = f" ({span(accuracy)} by split)" if accuracy.nunique() > 1 else ""
    rate = last["learning_rate"]
    rates = " to ".join(dict.fromkeys((f"{rate.min():.1e}", f"{rate.max():.1e}")))
    return (
        f"After epoch {last['epoch'].max()} the training accuracy is {accuracy.mean():.1f} %{splits}, "
        f"the learning rate {rates}."
    )


def training_went_on(tested: pd.DataFrame) -> str:
    """Say how the second half of the training changed the scores of the test videos, on average over the splits.

    >>> rows = [(1, 2, 70.0, 50.0), (1, 4, 71.5, 49.96)]
    >>> training_went_on(pd.DataFrame(rows, columns=["split", "epoch", "accuracy", "f1@50"]))
    'The second half of the training changes accuracy by +1.5 points and F1@50 by +0.0.'
    """
    half = tested[tested["epoch"] <= tested["epoch"].max() / 2].groupby("split").last()
    gain = (tested.groupby("split").last() - half).mean()
    accuracy, f1 = (written(gain[name], "+.1f") for name in ("accuracy", "f1@50"))
    return f"The second half of the training changes accuracy by {accuracy} points and F1@50 by {f1}."


def published_history() -> pd.DataFrame:
    """The thesis's test accuracy of the baseline (percent), read off its notebook: columns epoch, split, accuracy."""
    curve = 100 * published_curve("baseline").rename_axis("epoch")
    return curve.melt(ignore_index=False, var_name="split", value_name="accuracy").reset_index()


def dips(thesis: pd.DataFrame) -> str:
    """The largest losses of accuracy at two epochs, in points. `thesis`: from `published_history`.

    >>> dips(published_history())
    'at epoch 50 (split 2 -6.2, split 1 -6.0, split 5 -2.3 points) and at epoch 80 (split 3 -3.6 points)'
    """
    changes = thesis.pivot(index="epoch", columns="split", values="accuracy").diff()
    found = []
    for epoch, most in ((50, 3), (80, 1)):
        lost = changes.loc[epoch].nsmallest(most)
        splits = ", ".join(f"split {k} {value:+.1f}" for k, value in lost.items())
        found.append(f"at epoch {epoch} ({splits} points)")
    return " and ".join(found)


def rates_of_scoring() -> str:
    """Say how far the rate at which test videos are scored moves the curves, by the thesis's log.

    >>> rates_of_scoring()
    'The thesis scored its curve on the sampled 15 frames per second, we on all; its log differs by 0.01 points.'
    """
    log = published_table("baseline_log")
    apart = (log["accuracy_30_fps"] - 100 * log["accuracy"]).abs().max()
    return (
        "The thesis scored its curve on the sampled 15 frames per second, we on all; its log differs by "
        f"{apart:.2f} points."
    )


def compared(sources: Mapping[str, pd.Series]) -> str:
    """Accuracy, edit score and F1@50 of several tables.

    >>> row = pd.Series({"accuracy": 0.85, "edit": 79.6, "f1@50": 0.76})
    >>> compared({"here": row, "in the thesis": row})
    'Accuracy 0.850, edit 79.6, F1@50 0.760 here; 0.850, 79.6, 0.760 in the thesis.'
    """
    forms = {"accuracy": ("Accuracy", ".3f"), "edit": ("edit", ".1f"), "f1@50": ("F1@50", ".3f")}
    texts = {}
    for place, (where, row) in enumerate(sources.items()):
        numbers = [f"{'' if place else name + ' '}{written(row[key], form)}" for key, (name, form) in forms.items()]
        texts[where] = ", ".join(numbers)
    return "; ".join(f"{text} {where}" for where, text in texts.items()) + "."


def selection_gain(sources: Mapping[str, pd.Series]) -> str:
    """Say what choosing the epoch on the test videos would have added.

    >>> selection_gain({"here": pd.Series({"accuracy": 0.85, "best_accuracy": 0.86})})
    'Choosing the epoch on the test videos would add 0.010 here.'
    """
    gains = [f"{written(row['best_accuracy'] - row['accuracy'], '.3f')} {where}" for where, row in sources.items()]
    return f"Choosing the epoch on the test videos would add {' and '.join(gains)}."
