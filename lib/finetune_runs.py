"""The fine-tuning chapters (thesis 2.9.1, 2.9.2): train the splits from one set of weights, score, collate."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from lib.baseline import histories
from lib.choice import choose_epoch
from lib.confusion import confused_pairs
from lib.dense import Names
from lib.finetune import fine_tune
from lib.notebook import Notebook
from lib.pretrained import Pretrained
from lib.protocols import SECONDS, by_split
from lib.tables import SECOND_COLUMNS
from lib.target import Target
from lib.towers import tokenizer
from lib.zero_shot import prompts
from lib.zero_shot_runs import scored


@dataclass(frozen=True)
class FineTuned:
    """Attributes:
    history: a row a split and epoch.
    metrics: the long table, both protocols.
    tables: result (epochs) -> the thesis's columns, a row a split and the mean.
    """

    history: pd.DataFrame
    metrics: pd.DataFrame
    tables: Mapping[int, pd.DataFrame]


def fine_tune_splits(book: Notebook, target: Target, ready: Pretrained, weights: str) -> FineTuned:
    """Train the book's splits, or read those that are done; methods are called videoclip_<weights>_<n>_epochs."""
    settings, names = book.params.finetune, _names(book, target)
    parts, metrics = {}, []
    for split in book.splits:
        methods = {epochs: f"videoclip_{weights}_{epochs}_epochs" for epochs in settings.epochs}
        folders = {epochs: book.out.predictions(method, split) for epochs, method in methods.items()}
        run = book.out.run(f"videoclip_{weights}_finetuned", split)
        parts[split] = fine_tune(target, split, ready.model, names, settings, run, folders)
        metrics += [scored(book, target, method, split) for method in methods.values()]
    long = pd.concat(metrics)
    tables = {}
    for epochs in settings.epochs:
        table = by_split(long, f"videoclip_{weights}_{epochs}_epochs", SECONDS, SECOND_COLUMNS)
        chosen = {str(split): choose_epoch(part, epochs, settings.select_on) for split, part in parts.items()}
        loss = f"{'test' if settings.select_on == 'last' else settings.select_on}_loss"
        losses = {str(split): part.set_index("epoch")[loss][chosen[str(split)]] for split, part in parts.items()}
        table["best_loss"], table["best_epoch"] = pd.Series(losses), pd.Series(chosen).astype(float)
        if len(parts) > 1:
            table.loc["mean", "best_loss"] = pd.Series(losses).mean()
        tables[epochs] = table
    return FineTuned(histories(parts, "split"), long, tables)


def objectives_compared(book: Notebook, target: Target, ready: Pretrained, weights: str) -> pd.DataFrame:
    """Split 1 by the other objective too: what the thesis's text says against what its code did.

    Returns:
        A row an objective: accuracy of the test videos' seconds, percent, after each result's epochs and at its best.
    """
    settings, rows = book.params.finetune, {}
    for objective in ("head", "contrastive"):
        asked = settings.model_copy(update={"objective": objective, "select_on": "last"})
        same = objective == settings.objective  # then the run is there already
        method = f"videoclip_{weights}_finetuned" if same else f"videoclip_{weights}_{objective}"
        history = fine_tune(target, 1, ready.model, _names(book, target), asked, book.out.run(method, 1), {})
        accuracy = history.set_index("epoch")["test_accuracy"]
        rows[objective] = {f"after {epochs} epochs": accuracy[epochs] for epochs in settings.epochs}
        rows[objective]["highest*"] = accuracy.max()
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("objective")


def _names(book: Notebook, target: Target) -> Names:
    texts = prompts(target.dataset.classes, book.params.zero_shot.prompts)
    rows = tokenizer(book.params.videoclip)(texts, padding=True, return_tensors="pt")
    return Names(rows["input_ids"], rows["attention_mask"])


def epoch_chosen(select_on: str) -> str:
    """Note to a table's columns with *."""
    if select_on == "last":
        return "* Of the last epoch."
    return f"* Of the epoch that was chosen by the loss on the {select_on} videos."


def falling(history: pd.DataFrame, loss: str) -> int:
    """Number of splits whose loss is lowest at the last epoch."""
    lowest = history.loc[history.groupby("split")[loss].idxmin(), "epoch"]
    return int((lowest == history["epoch"].max()).sum())


def most_confused(matrices: Mapping[int, pd.DataFrame], most: int = 4) -> str:
    """A sentence: which confusions cost the most seconds, over all splits that there are."""
    pairs = confused_pairs(matrices, most)
    worst = pairs[pairs["split"] == pairs["split"].iloc[-1]]
    named = [
        f"`{row.true}` taken for `{row.predicted}` ({row.seconds} s, {row.share:.0%} of its seconds; {row.kinds})"
        for row in worst.itertuples()
    ]
    return f"Most seconds are lost where {'; '.join(named)}."
