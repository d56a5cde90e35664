"""Scores of prediction folders: the one way from the labels that methods wrote to the long metric table.

Intervals resample videos and seeds; their items are what each video adds to a score.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from lib.data.dataset import Dataset
from lib.data.predictions import prediction_pairs
from lib.data.profile import Profile
from lib.scoring.labels import segments
from lib.scoring.metrics import Convention, Pair, metric_table, score
from lib.scoring.seconds import SECONDS, seconds_of, seconds_table
from lib.scoring.stats import resampled

Protocol = Convention | Literal["thesis, 1 fps"]
COLUMNS = ("section", "method", "split", "video", "protocol", "metric", "value")


class Cell(NamedTuple):
    """One method's predictions for the test videos of one split."""

    method: str  # its name in the long table
    split: int
    folder: Path
    seed: int = 0  # where a method was trained several times


def cells_of(profile: Profile, methods: Iterable[str] | Mapping[str, str]) -> list[Cell]:
    """Cells of methods on the splits of this run: their first training, and the repeats that have predictions.

    `methods`: folders below predictions/; or names in the long table -> folders.
    """
    named = methods if isinstance(methods, Mapping) else {method: method for method in methods}
    found = []
    for name, folder in named.items():
        for split, repeat in product(profile.splits, profile.repeats):
            cell = Cell(name, split, profile.out.predictions(folder, split, repeat or None), repeat)
            if not repeat or cell.folder.is_dir():
                found.append(cell)
    return found


def has_predicted(profile: Profile, method: str) -> bool:
    """Whether a method has a folder of predictions for every split of this run."""
    return all(cell.folder.is_dir() for cell in cells_of(profile, [method]))


def pairs_of(dataset: Dataset, cell: Cell, step: int = 2) -> dict[str, Pair]:
    """Prediction and ground truth of the cell's test videos, one class name per frame.

    Raises PredictionError: a prediction is missing or cannot be used.
    """
    return {**prediction_pairs(cell.folder, dataset, dataset.split(cell.split)[1], step)}


def score_methods(
    profile: Profile,
    dataset: Dataset,
    cells: Iterable[Cell],
    protocols: Sequence[Protocol] = (),
    step: int = 2,
    every: int = 1,
) -> pd.DataFrame:
    """Score the predictions of cells, all in the same way.

    Args:
        protocols: conventions of `lib.scoring.metrics`, or SECONDS for the thesis's scoring of VideoCLIP; by default
            the convention of the profile.
        every: only every n-th frame is scored.

    Returns:
        The long table: section, method, split, video (with `all`), protocol, metric, value (percent; raw_edit in
        seconds), seed. A method without repeats has seed 0.

    Raises PredictionError: a prediction is missing or cannot be used.
    """
    tables = []
    for cell in cells:
        pairs = {video: (ours[::every], true[::every]) for video, (ours, true) in pairs_of(dataset, cell, step).items()}
        for protocol in protocols or (profile.params.data.convention,):
            if protocol == SECONDS:
                # the thesis's code gave the first class to seconds that no segment fills
                table = seconds_table(pairs, dataset.fps, dataset.classes[0])
            else:
                table = metric_table(pairs, protocol, profile.params.data.ignore)
            table = table.assign(section=profile.section, method=cell.method, split=cell.split, protocol=protocol)
            tables.append(table[list(COLUMNS)].assign(seed=cell.seed))
    return pd.concat(tables, ignore_index=True)


MEASURES = {"accuracy": "accuracy", "f1@50": "F1@50"}  # those with intervals, and their names for readers


def ratio_parts(
    pair: Pair, measures: Collection[str], convention: Convention = "mstcn", ignore: Sequence[str] = ()
) -> np.ndarray:
    """Numerator and denominator of each measure for one video, (measure, 2); summed over videos they make the score.

    For accuracy: correct frames and all frames; for F1: 2 tp, and predicted + true segments. "lea" averages the scores
    of the videos, so there each video contributes its score and 1.
    """
    scores = score([pair], convention, ignore)
    counted = sum(label not in ignore for side in pair for label in segments(side).labels.tolist())
    sizes = [1.0 if convention == "lea" else counted if name.startswith("f1") else len(pair[1]) for name in measures]
    return np.array([[scores[name] / 100 * size, size] for name, size in zip(measures, sizes, strict=True)])


def video_items(
    dataset: Dataset, cells: Iterable[Cell], convention: Protocol, ignore: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Contribution of each test video to MEASURES, (seeds, measure, 2): the parts to sum before taking the ratio.

    Args:
        cells: of one method; each split with the same number of seeds.
        convention: or SECONDS, the thesis's scoring of VideoCLIP.

    Raises PredictionError: a prediction is missing or cannot be used.
    """
    found: dict[str, list[np.ndarray]] = {}
    for cell in cells:
        for video, pair in pairs_of(dataset, cell).items():
            if convention == SECONDS:
                parts = ratio_parts(seconds_of(pair, dataset.fps, dataset.classes[0]), MEASURES)
            else:
                parts = ratio_parts(pair, MEASURES, convention, ignore)
            found.setdefault(video, []).append(parts)
    return {video: np.stack(seeds) for video, seeds in found.items()}


def half_widths(dataset: Dataset, cells: Iterable[Cell], protocol: Protocol, ignore: Sequence[str]) -> dict[str, float]:
    """Half of the 95 % interval of each of MEASURES over other videos and seeds, in percent."""
    parts = np.stack(list(video_items(dataset, cells, protocol, ignore).values()))
    low, high = np.quantile(resampled(parts), [0.025, 0.975], axis=0)
    return dict(zip(MEASURES, ((high - low) / 2).tolist(), strict=True))
