"""The cross-validation of ASFormer on one feature set (thesis 2.3.1 and 2.3.3): train, predict, score, collate."""

import json
from dataclasses import dataclass

import pandas as pd

from lib.dataset import Dataset
from lib.metrics import metric_table, score
from lib.notebook import Notebook
from lib.predictions import prediction_pairs
from lib.segment import train_split
from lib.tables import baseline_table


@dataclass(frozen=True)
class CrossValidation:
    """What the splits gave.

    Attributes:
        history: a row a split and epoch (lib.segment.train_split), with a column split.
        table: the thesis's columns, a row a split and the mean (lib.tables.baseline_table).
        metrics: the long table, also for each video.
    """

    history: pd.DataFrame
    table: pd.DataFrame
    metrics: pd.DataFrame


def cross_validate(book: Notebook, dataset: Dataset, method: str) -> CrossValidation:
    """Train and predict the notebook's splits, or read those that are done, and score what was predicted.

    Args:
        method: names runs, predictions and rows, e.g. "asformer_own".
    """
    data, section = book.params.data, book.section
    histories, rows, metrics = {}, {}, []
    for split in book.splits:
        run, predictions = book.out.run(method, split), book.out.predictions(method, split)
        scoring = {"convention": data.convention, "ignore": data.ignore}
        histories[split] = train_split(dataset, split, book.params.asformer, run, predictions, **scoring)
        pairs = prediction_pairs(predictions, dataset, dataset.split(split)[1])
        best = json.loads((run / "result.json").read_text())["chosen_on_test"]
        rows[split] = score(pairs.values(), **scoring)
        rows[split] |= {"best_accuracy": best["accuracy"], "best_epoch": best["epoch"]}
        metrics.append(metric_table(pairs, section=section, method=method, split=split, **scoring))
    history = pd.concat(histories, names=["split"]).reset_index(level="split").reset_index(drop=True)
    return CrossValidation(history, baseline_table(rows), pd.concat(metrics))
