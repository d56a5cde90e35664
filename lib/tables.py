"""Result tables (thesis Tables 1-9): ours, the thesis's, the difference, in the thesis's columns."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from lib.metrics import METRICS
from lib.plots import short

COLUMNS = [*METRICS, "best_accuracy", "best_epoch"]
SECOND_COLUMNS = ["accuracy", "raw_edit", "f1@10", "f1@25", "f1@50"]  # of Tables 4-9
HEADERS = {
    "accuracy": "accuracy",
    "edit": "edit, %",
    "raw_edit": "raw edit distance, s",
    "best_loss": "its loss*",
    "f1@10": "F1@10",
    "f1@25": "F1@25",
    "f1@50": "F1@50",
    "best_accuracy": "best accuracy*",
    "best_epoch": "its epoch*",
}


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


def beside(
    ours: pd.DataFrame,
    published: pd.DataFrame,
    our_name: str,
    their_name: str = "thesis",
    controls: Mapping[str, pd.DataFrame] = MappingProxyType({}),
) -> tuple[Styler, pd.DataFrame]:
    """Ours, the published table and the difference, one below the other in the same columns.

    The published table stands as a whole below a whole of ours, whose splits may be fewer or more: its mean is over its
    own.

    Args:
        controls: further tables of ours in the same columns, below, by name.

    Returns:
        The styled table, and its values with a column `source`, for the CSV.
    """
    theirs = published.rename(index=str).reindex(columns=ours.columns).astype(float)
    difference = ours - theirs.reindex(ours.index)
    if "mean" not in ours.index:  # one split, or the ways to trim
        theirs = theirs.reindex(ours.index)
    blocks = {our_name: ours, their_name: theirs, "difference": difference, **controls}
    return _styled(blocks, ours.index.name)


def alone(ours: pd.DataFrame, our_name: str) -> tuple[Styler, pd.DataFrame]:
    """As `beside`, where there is nothing published to compare with."""
    return _styled({our_name: ours}, ours.index.name)


def style_ten(table: pd.DataFrame) -> Styler:
    """Table 10 for the eye: the columns of `lib.conclusion.table_ten` and `segments`, the best value of each bold."""
    headers = {"thesis": "thesis", "as_thesis": "scored as the thesis", "difference": "difference"}
    headers |= {"accuracy": "accuracy", "accuracy_sd": "±"}
    headers |= {name: HEADERS[name] for name in METRICS} | {"segments": "segments"}
    styler = table.reindex(columns=list(headers)).rename(columns=headers).style.format(short, na_rep="–")
    styler = styler.format(_signed, subset=["difference"])
    best = [name for name in headers.values() if name not in ("difference", "±", "segments")]
    return styler.highlight_max(subset=best, props="font-weight: bold").set_table_attributes('class="dataframe"')


def _styled(blocks: Mapping[str, pd.DataFrame], index: str) -> tuple[Styler, pd.DataFrame]:
    stacked = pd.concat(blocks, names=["source", index])
    styler = stacked.rename(columns=HEADERS).style.format(short, na_rep="–")
    if "best_epoch" in stacked:
        styler = styler.format("{:.0f}", subset=[HEADERS["best_epoch"]], na_rep="–")
    if "difference" in blocks:
        styler = styler.format(_signed, subset=pd.IndexSlice["difference", :])
    means = [label for label in stacked.index if label[1] == "mean"]
    styler = styler.map(lambda _: "font-weight: bold", subset=pd.IndexSlice[means, :]) if means else styler
    return styler.set_table_attributes('class="dataframe"'), stacked.reset_index()


def _signed(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:+.3f}" if abs(value) < 2 else f"{value:+.1f}"
