"""Result tables (thesis Tables 1-9): ours, the thesis's, the difference, in the thesis's columns."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

import pandas as pd
from pandas.io.formats.style import Styler

from lib.notebook.plots import short
from lib.scoring.metrics import METRICS
from lib.scoring.words import interval

HEADERS = {
    "accuracy": "accuracy, 0–1",
    "edit": "edit, %",
    "raw_edit": "raw edit distance, s",
    "best_loss": "its loss*",
    "f1@10": "F1@10, 0–1",
    "f1@25": "F1@25, 0–1",
    "f1@50": "F1@50, 0–1",
    "best_accuracy": "best accuracy*, 0–1",
    "best_epoch": "its epoch*",
}

PERCENT = {name: f"{name.replace('f1', 'F1')}, %" for name in METRICS}  # where the scores are percent

LABELS = {  # of tables whose CSV has names of its own
    "zero_shot": "zero-shot, %",
    "random_loss": "loss, random clusters",
    "hard_loss": "loss, mined clusters",
    "by_prediction": "by chance",
    "splits_above": "splits above chance",
    "mean_low": "mean, from",
    "mean_high": "mean, to",
    "raw_edit": "edit distance, labels",
}

DECIMALS = {"edit": 1, "raw_edit": 1, "best_epoch": 0}  # of other columns: as `short`
LOWER = ("raw_edit", "best_loss")  # better where lower
SPREAD = "±"  # row of the standard deviation over the splits
INTERVAL = "± 95 %"
SPREADS = f"{SPREAD}: deviation over the splits; {INTERVAL}: half the interval of the mean over other videos and seeds."
BEST = "text-decoration: underline"  # mark of a column's best value


def beside(
    ours: pd.DataFrame,
    published: pd.DataFrame,
    our_name: str,
    controls: Mapping[str, pd.DataFrame] = MappingProxyType({}),
) -> tuple[Styler, pd.DataFrame]:
    """Set our table, the published one and the difference below each other, in the same columns.

    If our table has a mean, the published one below it is complete, even if the numbers of splits differ: its mean is
    over its own splits. Further tables of ours, `controls`, follow by name.

    Returns:
        The styled table (with a row ± of the standard deviation over the splits; between methods, the best of each
        part underlined), and its values with a column `source`, for the CSV. A row of half the 95 % interval over
        videos and seeds follows where the table has them (`lib.videoclip.evaluation`).
    """
    theirs = published.rename(index=str).reindex(columns=ours.columns).astype(float)
    difference = ours - theirs.reindex(ours.index)
    if "mean" not in ours.index:  # one split, or the ways to trim
        theirs = theirs.reindex(ours.index)
    blocks = {our_name: ours, "thesis": theirs, "difference": difference, **controls}
    return _styled({name: block if name == "difference" else _spread(block) for name, block in blocks.items()})


def alone(ours: pd.DataFrame, our_name: str) -> tuple[Styler, pd.DataFrame]:
    """Style our table alone as `beside` does."""
    return _styled({our_name: _spread(ours)})


def style_ten(table: pd.DataFrame) -> Styler:
    """Format Table 10 (`lib.scoring.conclusion.table_ten`, with segments) for readers; differences stay in its CSV."""
    columns = ["thesis", "as_thesis", "accuracy", f"accuracy {SPREAD}", *METRICS[1:], f"f1@50 {SPREAD}", "segments"]
    headers = {name: name.replace("f1", "F1") for name in columns} | {"as_thesis": "scored as the thesis"}
    shown = table.reindex(columns=columns).rename(columns=headers)
    best = [name for name in list(shown)[:-1] if SPREAD not in name]
    return fold_widths(underline(shown.style.format(short, na_rep="–"), best), 3)


def mark_best(table: pd.DataFrame, lower: Sequence[str] = (), skip: Sequence[str] = ()) -> Styler:
    """Underline the best number of each column except `skip`: the highest, in `lower` the lowest."""
    numbers = [name for name in table.select_dtypes("number") if name not in skip]
    styler = underline(table.style, [name for name in numbers if name not in lower])
    return underline(styler, [name for name in numbers if name in lower], lowest=True)


def underline(
    styler: Styler, columns: Sequence[str], rows: Sequence | slice = slice(None), lowest: bool = False
) -> Styler:
    """Underline the highest (or lowest) number of each column among these rows, unless all are equal."""
    table: pd.DataFrame = styler.data
    differ = [column for column in columns if table.loc[rows, column].nunique() > 1]
    highlight = styler.highlight_min if lowest else styler.highlight_max
    return highlight(subset=(rows, differ), props=BEST) if differ else styler


def fold_widths(styler: Styler, places: int) -> Styler:
    """Fold half widths (columns "… ±") into the columns of their means, which is narrower.

    >>> table = pd.DataFrame({"hit": [61.0], "hit ±": [2.5], "loss": [4.25], "loss ±": [3.231], "pairs": [8]})
    >>> print(fold_widths(table.style.hide(), 2).to_string(delimiter=" | ").strip())
    hit | loss | pairs
    61.00 ± 2.50 | 4.25 ± 3.23 | 8
    """
    table: pd.DataFrame = styler.data
    widths = {f"{name} {SPREAD}": name for name in table if f"{name} {SPREAD}" in table}
    for width, name in widths.items():
        for row, half in table[width].dropna().items():
            styler.format(f"{{:.{places}f}} {SPREAD} {half:.{places}f}", subset=([row], [name]))
    return styler.hide(subset=list(widths), axis="columns")


def interval_cells(table: pd.DataFrame, titles: Mapping[str, str], form: str = "+.1f") -> dict[str, list[str]]:
    """Cells of each measure, by its title: each row's value with its interval."""
    return {title: [interval(row, name, form) for _, row in table.iterrows()] for name, title in titles.items()}


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table headers for readers; a half width keeps its sign.

    >>> list(in_words(pd.DataFrame(columns=["zero_shot", "zero_shot ±", "clusters"])))
    ['zero-shot, %', 'zero-shot, % ±', 'clusters']
    """
    widths = {f"{name} {SPREAD}": f"{label} {SPREAD}" for name, label in LABELS.items()}
    return table.rename(columns=LABELS | widths)


def _spread(block: pd.DataFrame) -> pd.DataFrame:
    """Append the standard deviation over the splits to a block that has their mean."""
    if "mean" not in block.index:
        return block
    spread = block.drop(index="mean").drop(columns="best_epoch", errors="ignore").std()
    rows = {SPREAD: spread, INTERVAL: pd.Series(block.attrs["±"])} if "±" in block.attrs else {SPREAD: spread}
    below = pd.DataFrame(rows).T.reindex(columns=block.columns)
    return pd.concat([block, below]).rename_axis(block.index.name)


def _styled(blocks: Mapping[str, pd.DataFrame]) -> tuple[Styler, pd.DataFrame]:
    index = next(iter(blocks.values())).index.name
    stacked = pd.concat(blocks, names=["source", index])
    styler = stacked.rename(columns=HEADERS).style.format(short, na_rep="–")
    if "difference" in blocks:
        styler = styler.format(partial(short, sign="+"), subset=pd.IndexSlice["difference", :])
    for name, decimals in DECIMALS.items():
        for source in blocks if name in stacked else ():
            sign = "+" if source == "difference" else ""
            form = f"{{:{sign}.{decimals}f}}"
            styler = styler.format(form, subset=pd.IndexSlice[source, HEADERS[name]], na_rep="–")
    for name, block in blocks.items():
        if name != "difference" and "mean" not in block.index:  # of methods the best is marked, not the luckiest split
            columns, rows = block.columns.drop("best_epoch", errors="ignore"), [(name, row) for row in block.index]
            for lower in (True, False):
                compared = [HEADERS[column] for column in columns if (column in LOWER) == lower]
                styler = underline(styler, compared, rows, lower)
    means = [label for label in stacked.index if label[1] == "mean"]
    styler = styler.map(lambda _: "font-weight: bold", subset=pd.IndexSlice[means, :]) if means else styler
    return styler, stacked.reset_index()
