"""Scores of prediction folders: the one way from the labels that methods wrote to the long metric table."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from lib.data.dataset import Dataset
from lib.data.predictions import prediction_pairs
from lib.data.profile import Profile
from lib.scoring.metrics import Convention, Pair, metric_table
from lib.scoring.seconds import SECONDS, seconds_table

Protocol = Convention | Literal["thesis, 1 fps"]
COLUMNS = ("section", "method", "split", "video", "protocol", "metric", "value")


class Cell(NamedTuple):
    """What one method predicted for the test videos of one split.

    Attributes:
        method: its name in the long table.
        folder: of its prediction files.
        seed: where a method was trained several times.
    """

    method: str
    split: int
    folder: Path
    seed: int | None = None


def cells_of(profile: Profile, methods: Iterable[str] | Mapping[str, str]) -> list[Cell]:
    """The cells of methods on the splits of this run.

    Args:
        methods: folders below predictions/; or names in the long table -> folders.
    """
    named = methods if isinstance(methods, Mapping) else {method: method for method in methods}
    return [
        Cell(name, split, profile.out.predictions(folder, split))
        for name, folder in named.items()
        for split in profile.splits
    ]


def has_predicted(profile: Profile, method: str) -> bool:
    """Whether a method has a folder of predictions for every split of this run."""
    return all(cell.folder.is_dir() for cell in cells_of(profile, [method]))


def pairs_of(dataset: Dataset, cell: Cell, step: int = 2) -> dict[str, Pair]:
    """Prediction and ground truth of the cell's test videos, class names of the frames.

    Args:
        step: see `lib.data.predictions.prediction_pairs`.

    Raises:
        PredictionError: a prediction is missing or cannot be used.
    """
    return {**prediction_pairs(cell.folder, dataset, dataset.split(cell.split)[1], step)}


def score_methods(
    profile: Profile, dataset: Dataset, cells: Iterable[Cell], protocols: Sequence[Protocol] = (), step: int = 2
) -> pd.DataFrame:
    """Score prediction folders, all in the same way.

    Args:
        protocols: conventions of `lib.scoring.metrics`, or SECONDS for the thesis's scoring of VideoCLIP; by default
            the convention of the profile.
        step: see `lib.data.predictions.prediction_pairs`.

    Returns:
        The long table: section, method, split, video (with `all`), protocol, metric, value (percent; raw_edit in
        seconds), and seed if the cells have seeds.

    Raises:
        PredictionError: a prediction is missing or cannot be used.
    """
    tables = []
    for cell in cells:
        pairs = pairs_of(dataset, cell, step)
        for protocol in protocols or (profile.params.data.convention,):
            if protocol == SECONDS:
                # the thesis's code gave the first class to seconds that no segment fills
                table = seconds_table(pairs, dataset.fps, dataset.classes[0])
            else:
                table = metric_table(pairs, protocol, profile.params.data.ignore)
            table = table.assign(section=profile.section, method=cell.method, split=cell.split, protocol=protocol)
            tables.append(table[list(COLUMNS)] if cell.seed is None else table[list(COLUMNS)].assign(seed=cell.seed))
    return pd.concat(tables, ignore_index=True)


def name_seeds(metrics: pd.DataFrame) -> pd.DataFrame:
    """Move the seed of methods that have several into their names: the long table as it is kept."""
    several = metrics.groupby("method")["seed"].transform("nunique") > 1
    seeded = metrics["method"] + "_seed_" + metrics["seed"].astype(str)
    return metrics.assign(method=metrics["method"].mask(several, seeded)).drop(columns="seed")
