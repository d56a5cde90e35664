"""The thesis's result tables as an auditor reads them: which method is in which, and are their means right? (4.1)"""

import numpy as np
import pandas as pd

from lib.published import METHOD_TABLES, SPLITS, published_table


def recomputed_means() -> pd.DataFrame:
    """Every printed mean beside that of its rows.

    Table 10 has a row a method; it is compared with the means of the methods' own tables.

    Returns:
        Columns table, column, printed, recomputed, units (their difference in units of the last printed digit), agrees
        (by half a unit at most, as rounding does).
    """
    rows = []
    for number in METHOD_TABLES.values():
        printed = published_table(number, printed=True).loc["mean"]
        means = published_table(number).loc[list(SPLITS)].mean()
        rows += [(number, column, printed[column], means[column]) for column in printed.index if printed[column] != "-"]
    last = published_table(10, printed=True)["accuracy"]
    rows += [
        (10, name, last[name], published_table(table).loc["mean", "accuracy"]) for name, table in METHOD_TABLES.items()
    ]
    found = pd.DataFrame(rows, columns=["table", "column", "printed", "recomputed"])
    found["units"] = [units_apart(*pair) for pair in zip(found["printed"], found["recomputed"], strict=True)]
    return found.assign(printed=found["printed"].astype(float), agrees=found["units"].abs() <= 0.5 + 1e-6)


def units_apart(printed: str, value: float) -> float:
    """How far a value is from a printed number, in units of its last digit; rounding leaves half a unit at most.

    >>> round(units_apart("0.793", 0.7928), 3), round(units_apart("72.4", 72.7), 3)
    (-0.2, 3.0)
    """
    return (value - float(printed)) * 10 ** len(printed.partition(".")[2])


def equal_thresholds() -> pd.DataFrame:
    """Rows with one F1 at two thresholds: table, split, equal (which two), value, lowest_gap, highest_gap.

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


def rows_of(number: int) -> pd.DataFrame:
    """The five splits of a table, with columns split and table beside its own."""
    return published_table(number).loc[list(SPLITS)].reset_index().assign(table=number)
