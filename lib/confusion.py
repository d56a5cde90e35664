"""Confusion matrices (thesis Figures 18, 19, 21, 23, 25, 27), counted in seconds from predictions and ground truth.

Both sides are brought to a label a second by `at_one_fps`, the label in the middle of each second. The thesis filled a
second of the truth by `second_targets` of lib/seconds.py instead, which differs from the frames' labels in 2.3 % of the
real set, so its counts differ a little from these.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from lib.dataset import Dataset
from lib.labels import LabelError
from lib.metrics import Pair
from lib.pair_kinds import kinds
from lib.paths import Outputs
from lib.predictions import PredictionError, prediction_pairs
from lib.seconds import at_one_fps

Matrices = Mapping[int, pd.DataFrame]  # split -> matrix


def confusion_matrix(pairs: Iterable[Pair], classes: Sequence[str]) -> pd.DataFrame:
    """Count how many seconds of each class got which label.

    Args:
        pairs: (prediction, ground truth) of each video, a class name a second. A longer prediction is cut.
        classes: all K names, in the order of the matrix.

    Returns:
        Seconds, int64 (K, K): true classes are the rows, predicted ones the columns.

    Raises:
        LabelError: there are no seconds, a prediction is too short, or a name is not among the classes.

    >>> confusion_matrix([(["cut", "cut"], ["cut", "mix"])], ["cut", "mix"]).to_numpy().tolist()
    [[1, 0], [1, 0]]
    """
    predicted: list[str] = []
    true: list[str] = []
    for number, (prediction, truth) in enumerate(pairs, 1):
        if len(prediction) < len(truth):
            raise LabelError(f"pair {number}: {len(prediction)} predicted seconds for {len(truth)}; predict all")
        predicted += [str(name) for name in prediction[: len(truth)]]
        true += [str(name) for name in truth]
    if not true:
        raise LabelError("no seconds to count")
    if unknown := {*predicted, *true} - set(classes):
        raise LabelError(f"class {min(unknown)!r} is not among the {len(classes)} classes of the matrix")
    sides = [pd.Categorical(side, list(classes)) for side in (true, predicted)]
    counts = pd.crosstab(*sides, rownames=["true"], colnames=["predicted"], dropna=False)
    return counts.reindex(index=list(classes), columns=list(classes)).astype(np.int64)


def split_matrices(out: Outputs, dataset: Dataset, splits: Iterable[int], method: str) -> dict[int, pd.DataFrame]:
    """One matrix a split, from predictions/<method>/split_<k>/ against the labels of the split's test videos.

    Raises:
        PredictionError: a prediction is missing or cannot be used.
    """
    matrices = {}
    for split in splits:
        pairs = prediction_pairs(out.predictions(method, split), dataset, dataset.split(split)[1])
        seconds = [(at_one_fps(ours, dataset.fps), at_one_fps(truth, dataset.fps)) for ours, truth in pairs.values()]
        matrices[split] = confusion_matrix(seconds, dataset.classes)
    return matrices


def predicted_methods(out: Outputs, methods: Mapping[str, str]) -> dict[str, str]:
    """Those of `methods` (name -> method) whose predictions were made, in one split at least.

    Raises:
        PredictionError: none of them.
    """
    there = {name: method for name, method in methods.items() if out.predictions(method, 1).parent.is_dir()}
    if not there:
        folder = out.predictions("", 1).parent
        raise PredictionError(f"{folder}: holds neither {' nor '.join(methods.values())}; run their notebooks first")
    return there


def summed(matrices: Matrices) -> pd.DataFrame:
    """All splits together."""
    first, *others = matrices.values()
    return sum(others, start=first)


def wrong_seconds(matrix: pd.DataFrame) -> np.ndarray:
    """The matrix without its diagonal, float64 (K, K)."""
    return np.where(np.eye(len(matrix), dtype=bool), 0.0, matrix.to_numpy())


def row_shares(matrix: pd.DataFrame) -> pd.DataFrame:
    """Shares of each true class's seconds, 0 … 1; a class without any is NaN throughout."""
    return matrix.div(matrix.sum(axis=1).where(lambda seconds: seconds > 0), axis=0)


def long_table(matrices: Matrices) -> pd.DataFrame:
    """The matrices for a CSV, all cells of them.

    Returns:
        Columns split (a number; "all" is their sum, where there are several), true, predicted, seconds, share (of the
        true class's seconds; NaN where it has none).
    """
    panels: dict[int | str, pd.DataFrame] = {**matrices}
    if len(matrices) > 1:
        panels["all"] = summed(matrices)
    tables = []
    for split, matrix in panels.items():
        cells = matrix.stack().rename("seconds").reset_index()
        cells["share"] = row_shares(matrix).to_numpy().ravel()
        cells.insert(0, "split", split)
        tables.append(cells)
    return pd.concat(tables, ignore_index=True)


def confused_pairs(matrices: Matrices, most: int) -> pd.DataFrame:
    """The ordered pairs of classes that cost the most seconds.

    Args:
        most: pairs a split, and of all splits together.

    Returns:
        As `long_table`, without right seconds and empty cells, most seconds first in each split; with the column
        kinds, such as "shared verb, look-alike".
    """
    cells = long_table(matrices)
    wrong = cells[(cells["true"] != cells["predicted"]) & (cells["seconds"] > 0)]
    ordered = wrong.sort_values("seconds", ascending=False, kind="stable").groupby("split", sort=False).head(most)
    places = {split: place for place, split in enumerate(cells["split"].unique())}
    ordered = ordered.sort_values("split", key=lambda column: column.map(places), kind="stable")
    pairs = zip(ordered["true"], ordered["predicted"], strict=True)
    return ordered.assign(kinds=[", ".join(kinds(*pair)) for pair in pairs]).reset_index(drop=True)
