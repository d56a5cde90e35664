"""The tables of the check on real videos (4.3): the three conventions, and what seeds and splits move."""

from collections.abc import Iterable, Mapping
from typing import get_args

import pandas as pd

from lib.controls_compare import Cells
from lib.dataset import Dataset
from lib.metrics import METRICS, Convention, score
from lib.predictions import prediction_pairs


def conventions_table(dataset: Dataset, cells: Mapping[str, Cells], ignore: Iterable[str]) -> pd.DataFrame:
    """Rows (method, convention), the five metrics in percent, mean over splits and seeds."""
    tables = {kind: _scores(dataset, cells, kind, ignore) for kind in get_args(Convention)}
    return (
        pd.concat(
            [
                table.groupby("method", sort=False)[list(METRICS)].mean().assign(convention=kind)
                for kind, table in tables.items()
            ]
        )
        .set_index("convention", append=True)
        .sort_index(level="method", sort_remaining=False)
    )


def seeds_table(
    dataset: Dataset, cells: Mapping[str, Cells], convention: Convention, ignore: Iterable[str]
) -> pd.DataFrame:
    """A row a method of several seeds: "<metric>, seeds" within a split, "<metric>, splits" of the splits' means."""
    rows = {}
    for method, table in _scores(dataset, cells, convention, ignore).groupby("method", sort=False):
        if table["seed"].nunique() > 1:
            splits = table.groupby("split")[list(METRICS)]
            within, between = splits.std().mean(), splits.mean().std()
            rows[method] = {
                f"{metric}, {what}": spread[metric]
                for metric in METRICS
                for what, spread in (("seeds", within), ("splits", between))
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def _scores(
    dataset: Dataset, cells: Mapping[str, Cells], convention: Convention, ignore: Iterable[str]
) -> pd.DataFrame:
    """A row a method, split and seed."""
    ignore = tuple(ignore)
    rows = [
        {"method": method, "split": split, "seed": seed}
        | score(prediction_pairs(folder, dataset, dataset.split(split)[1]).values(), convention, ignore)
        for method, parts in cells.items()
        for folder, split, seed in parts
    ]
    return pd.DataFrame(rows)
