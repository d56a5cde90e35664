"""The thesis's tables as an auditor reads them (4.1): are the means right, and is a row printed twice?

VideoCLIP's edit distance is counted in seconds and not normalized (lib/scoring/seconds.py). So it cannot exceed the
number of wrong seconds, (1 - accuracy) x length, and in practice comes close to it. Each row thus reveals the length of
its split's test videos, and so a row that belongs to another split.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from lib.data.dataset import Dataset
from lib.scoring.metrics import METRICS
from lib.scoring.published import METHOD_TABLES, SPLITS, published_list, published_table
from lib.scoring.stats import ALPHA

FINE_TUNED = (6, 7, 8, 9)
Row = tuple[int, int]  # table, split


def rows_of(number: int) -> pd.DataFrame:
    """Rows of the five splits of a table, with columns split and table beside its own."""
    return published_table(number).loc[list(SPLITS)].reset_index().assign(table=number)


def recomputed_means() -> pd.DataFrame:
    """Recompute every printed mean from its rows, and Table 10 from the methods' own tables.

    Returns columns table, column, printed, recomputed, units (their difference in units of the last printed digit),
    agrees (they differ by half a unit at most, as after rounding).
    """
    rows = []
    for number in METHOD_TABLES.values():
        printed = published_table(number, printed=True).loc["mean"]
        means = published_table(number).loc[list(SPLITS)].mean()
        rows += [(number, column, printed[column], means[column]) for column in printed.index if printed[column] != "-"]
    last = published_table(10, printed=True)["accuracy"]
    rows += [(10, name, last[name], published_table(n).loc["mean", "accuracy"]) for name, n in METHOD_TABLES.items()]
    found = pd.DataFrame(rows, columns=["table", "column", "printed", "recomputed"])
    found["units"] = [units_apart(*pair) for pair in zip(found["printed"], found["recomputed"], strict=True)]
    return found.assign(printed=found["printed"].astype(float), agrees=found["units"].abs() <= 0.5 + 1e-6)


def units_apart(printed: str, value: float) -> float:
    """Difference from a printed number, in units of its last digit; rounding leaves half a unit at most.

    >>> round(units_apart("0.793", 0.7928), 3), round(units_apart("72.4", 72.7), 3)
    (-0.2, 3.0)
    """
    return (value - float(printed)) * 10 ** len(printed.partition(".")[2])


def equal_thresholds() -> pd.DataFrame:
    """Rows with equal F1 at two thresholds: table, split, equal (which two), value, lowest_gap, highest_gap.

    The gaps are those of all other rows of tables with the same columns.
    """
    found = []
    for number in METHOD_TABLES.values():
        like = [n for n in METHOD_TABLES.values() if list(published_table(n)) == list(published_table(number))]
        for high, low in (("f1@10", "f1@25"), ("f1@25", "f1@50")):
            gaps = pd.concat([rows_of(n) for n in like]).set_index(["table", "split"])
            gap = gaps[high] - gaps[low]
            for split in gap.loc[number].index[np.isclose(gap.loc[number], 0)]:
                rest = gap.drop((number, split))
                value = gaps.loc[(number, split), high]
                found.append((number, split, f"{high} = {low}", value, rest.min(), rest.max()))
    return pd.DataFrame(found, columns=["table", "split", "equal", "value", "lowest_gap", "highest_gap"])


def reruns(own: Mapping[str, float] | None) -> pd.DataFrame:
    """Compare what papers print with what others got with the same method, in percent.

    `own`: mean scores of the MS-TCN whose predictions are on this machine; None: there are none.

    Returns columns method, row ("paper" or who re-ran it), splits, the five metrics, source; a method's rows together.
    """
    found = published_table("reruns", printed=True).reset_index()
    found["row"] = found["row"].str.replace("_", " ")
    metrics = list(METRICS)
    thesis = published_table(METHOD_TABLES["asformer_authors_features"]).loc["mean", metrics]
    percent = thesis * [1 if name == "edit" else 100 for name in metrics]
    more = [{"method": "ASFormer", "row": "the thesis, Table 1", "splits": 5, "source": "thesis"} | percent.to_dict()]
    if own is not None:
        about = {"row": "its predictions, scored here", "splits": 5, "source": "https://github.com/Nshwei/Self-Action"}
        more.append({"method": "MS-TCN"} | about | {name: own[name] for name in metrics})
    found = pd.concat([found, pd.DataFrame(more)]).sort_values("method", kind="stable", ignore_index=True)
    return found.astype(dict.fromkeys(metrics, float) | {"splits": int})


def mean_lengths(labels: Dataset | None) -> dict[int, float] | None:
    """Mean length of each split's test videos in seconds, from the real annotations; None without them.

    Seconds are counted as in the thesis for VideoCLIP: one per feature vector, including a last one that has only
    begun; the videos outlast their labels by some frames.
    """
    if labels is None:
        return None
    (surplus,) = published_list("surplus_vectors")
    seconds = {v: math.ceil((len(labels.labels(v)) + surplus) / labels.fps) for v in labels.videos}
    return {k: float(np.mean([seconds[v] for v in labels.split(k)[1]])) for k in SPLITS}


def edit_ratios(lengths: Mapping[int, float] | None) -> pd.DataFrame:
    """Rows with an edit distance in seconds, and the length of video that each implies.

    `lengths`: mean length of a split's test videos, seconds; None: the largest length that the split's rows imply
    stands in, which is a lower bound.

    Returns columns table, split, accuracy, raw_edit, implied (raw_edit / (1 - accuracy), seconds), length, ratio.
    """
    parts = [rows_of(number) for number in METHOD_TABLES.values() if "raw_edit" in published_table(number)]
    found = pd.concat(parts)[["table", "split", "accuracy", "raw_edit"]].reset_index(drop=True)
    found["implied"] = found["raw_edit"] / (1 - found["accuracy"])
    stand_in = found.groupby("split")["implied"].transform("max")
    found["length"] = stand_in if lengths is None else found["split"].map(lengths)
    return found.assign(ratio=found["implied"] / found["length"])


def duplicated_rows(ratios: pd.DataFrame) -> pd.DataFrame:
    """Pairs of rows that are equal in all five metrics, and which of the two is out of place.

    Two rows of one split with one checkpoint (equal loss and epoch) are correct. If they belong to two splits, the one
    out of place has a ratio outside the range of all other rows, while the other's lies inside.

    Returns columns table, split, other_table, other_split, the five metrics, best_loss, other_best_loss, best_epoch,
    other_best_epoch, ratio, other_ratio, lowest, highest (of all other rows), out_of_place.
    """
    everything = pd.concat([rows_of(number) for number in METHOD_TABLES.values()]).reset_index(drop=True)
    metrics = ["accuracy", "edit", "raw_edit", "f1@10", "f1@25", "f1@50"]
    at = ratios.set_index(["table", "split"])["ratio"]
    found = []
    for _, same in everything.groupby(metrics, dropna=False):
        for (_, one), (_, other) in combinations(same.iterrows(), 2):
            pair = [(int(row["table"]), int(row["split"])) for row in (one, other)]
            rest = at.drop([row for row in pair if row in at.index])
            row = dict(zip(("table", "split", "other_table", "other_split"), [*pair[0], *pair[1]], strict=True))
            row |= {metric: one[metric] for metric in metrics if pd.notna(one[metric])}
            for column in ("best_loss", "best_epoch"):
                row |= {column: one[column], f"other_{column}": other[column]}
            row |= {"ratio": at.get(pair[0], np.nan), "other_ratio": at.get(pair[1], np.nan)}
            row |= {"lowest": rest.min(), "highest": rest.max()}
            found.append(row | {"out_of_place": _out_of_place(row, pair)})
    return pd.DataFrame(found)


def slips(duplicates: pd.DataFrame) -> list[Row]:
    """(table, split) of the rows that `duplicated_rows` found out of place."""
    return [
        row
        for pair in duplicates.to_dict("records")
        for row in ((pair["table"], pair["split"]), (pair["other_table"], pair["other_split"]))
        if pair["out_of_place"] == _called(row)
    ]


@dataclass(frozen=True)
class Corrected:
    """A table's mean accuracy with one wrong row replaced by what its loss predicts."""

    # of the line through accuracy over loss of the other fine-tuned rows, and their number
    rows: int
    r: float
    residual: float
    # accuracy of the row, with the 95 % interval of a prediction
    predicted: float
    low: float
    high: float
    printed: float  # mean that the table prints
    # and with the row's prediction
    mean: float
    mean_low: float
    mean_high: float
    needed: float  # accuracy at which the row would make the mean equal the baseline's


def corrected_mean(slip: Row) -> Corrected:
    """Replace a wrong row's accuracy. Assumes that its loss is its own, and a normal scatter about a straight line."""
    fine_tuned = pd.concat([rows_of(number) for number in FINE_TUNED]).set_index(["table", "split"])
    others, loss = fine_tuned.drop(slip), float(fine_tuned.loc[slip, "best_loss"])
    n, losses, accuracy = len(others), others["best_loss"], others["accuracy"]
    line = stats.linregress(losses, accuracy)
    residual = float(np.sqrt(((accuracy - line.intercept - line.slope * losses) ** 2).sum() / (n - 2)))
    error = residual * np.sqrt(1 + 1 / n + (loss - losses.mean()) ** 2 / ((losses - losses.mean()) ** 2).sum())
    predicted, half = float(line.intercept + line.slope * loss), float(stats.t.ppf(1 - ALPHA / 2, n - 2) * error)
    kept = others.loc[slip[0], "accuracy"].sum()
    baseline = published_table(METHOD_TABLES["baseline"]).loc[list(SPLITS), "accuracy"].sum()
    return Corrected(
        rows=n,
        r=float(line.rvalue),
        residual=residual,
        predicted=predicted,
        low=predicted - half,
        high=predicted + half,
        printed=float(published_table(slip[0]).loc["mean", "accuracy"]),
        mean=float(kept + predicted) / len(SPLITS),
        mean_low=float(kept + predicted - half) / len(SPLITS),
        mean_high=float(kept + predicted + half) / len(SPLITS),
        needed=float(baseline - kept),
    )


def _called(row: Row) -> str:
    return f"Table {row[0]}, split {row[1]}"


def _out_of_place(row: Mapping[str, float], pair: list[Row]) -> str:
    same = pair[0][1] == pair[1][1]
    if same and all(row[column] == row[f"other_{column}"] for column in ("best_loss", "best_epoch")):
        return "none: the same checkpoint"
    outside = [not row["lowest"] <= row[name] <= row["highest"] for name in ("ratio", "other_ratio")]
    return _called(pair[outside.index(True)]) if sum(outside) == 1 else "one of the two, undecided which"
