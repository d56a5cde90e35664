"""The fine-tuning chapters (thesis 2.9.1, 2.9.2): train the splits from one set of weights, score, collate.

The zero-shot chapters (thesis 2.8.1, 2.8.2): VideoCLIP's predictions, and what has to stand beside them.

An untrained model scores well above or below one class in 19, by its seed: a zero-shot figure means nothing without it,
nor without the score of the commonest class.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from lib.backbones.text import tokenizer
from lib.core.training import histories
from lib.data.profile import Profile
from lib.scoring.confusion import confused_pairs
from lib.scoring.folders import cells_of, score_methods
from lib.scoring.seconds import SECOND_COLUMNS, SECONDS, by_split
from lib.videoclip.finetuning import Names, choose_epoch, fine_tune
from lib.videoclip.model import VideoCLIP
from lib.videoclip.target import Target
from lib.videoclip.towers import Pretrained, build_videoclip
from lib.videoclip.zero_shot import class_vectors, prompts, second_scores

PROMPTS = ("raw", "words")


def zero_shot(profile: Profile, target: Target, ready: Pretrained, weights: str) -> pd.DataFrame:
    """Predict and score the book's splits: the pre-trained model, untrained ones, the commonest class of training.

    Args:
        weights: "own" or "public"; the methods are videoclip_<weights>_zero_shot, videoclip_<weights>_untrained_<seed>
            and commonest_class.

    Returns:
        The long table, both protocols.
    """
    names = prompts(target.dataset.classes, profile.params.zero_shot.prompts)
    models = {f"videoclip_{weights}_zero_shot": ready.model}
    for seed in profile.params.zero_shot.seeds:
        untrained = build_videoclip(profile.params.videoclip, ready.model.input_dim, seed).eval()
        models[f"videoclip_{weights}_untrained_{seed}"] = untrained.to(next(ready.model.parameters()).device)
    for method, model in models.items():
        visible = profile.params.zero_shot.cls_visible
        for split, video, scores in scores_of(profile, target, model, names, visible):
            target.write(profile.out.predictions(method, split), video, scores.argmax(axis=1))
    for split in profile.splits:
        commonest = Counter(label for video in target.dataset.split(split)[0] for label in target.dataset.names(video))
        number = target.dataset.classes.index(commonest.most_common(1)[0][0])
        for video in target.dataset.split(split)[1]:
            target.write(profile.out.predictions("commonest_class", split), video, [number])
    protocols = (profile.params.data.convention, SECONDS)
    return score_methods(profile, target.dataset, cells_of(profile, [*models, "commonest_class"]), protocols)


def untrained_table(metrics: pd.DataFrame, weights: str) -> pd.DataFrame:
    """The thesis's columns for the untrained models, mean over their seeds."""
    methods = [name for name in metrics["method"].unique() if name.startswith(f"videoclip_{weights}_untrained_")]
    tables = [by_split(metrics, method, SECONDS, SECOND_COLUMNS) for method in methods]
    return sum(tables[1:], tables[0]) / len(tables)


def scores_of(
    profile: Profile, target: Target, model: VideoCLIP, texts: list[str], cls_visible: bool
) -> Iterator[tuple[int, str, np.ndarray]]:
    """Split, test video and class scores of its seconds (T, K), for the book's splits."""
    vectors = class_vectors(model, tokenizer(profile.params.videoclip), texts)
    stride = profile.params.zero_shot.stride
    for split, video in target.tested():
        if split in profile.splits:
            features = target.features(video, model.input_dim)
            yield split, video, second_scores(model, features, vectors, stride, cls_visible)


def ways_to_ask(profile: Profile, target: Target, ready: Pretrained) -> pd.DataFrame:
    """Accuracy of the seconds for raw names and words, with [CLS] hidden and seen; nothing is chosen by it.

    Returns:
        Percent; a row a prompt style, a column a way to treat [CLS].
    """
    right: dict[tuple[str, str], int] = {}
    total = 0
    for style, (seen, visible) in product(PROMPTS, (("[CLS] hidden", False), ("[CLS] seen", True))):
        right[style, seen] = total = 0
        for _, video, scores in scores_of(
            profile, target, ready.model, prompts(target.dataset.classes, style), visible
        ):
            truth = target.truth(video, len(scores))
            right[style, seen] += int((scores.argmax(axis=1) == truth).sum())
            total += len(truth)
    return 100 * pd.Series(right).unstack() / total


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


def fine_tune_splits(profile: Profile, target: Target, ready: Pretrained, weights: str) -> FineTuned:
    """Train the book's splits, or read those that are done; methods are called videoclip_<weights>_<n>_epochs."""
    settings, names = profile.params.finetune, _names(profile, target)
    parts, methods = {}, {epochs: f"videoclip_{weights}_{epochs}_epochs" for epochs in settings.epochs}
    for split in profile.splits:
        folders = {epochs: profile.out.predictions(method, split) for epochs, method in methods.items()}
        run = profile.out.run(f"videoclip_{weights}_finetuned", split)
        parts[split] = fine_tune(target, split, ready.model, names, settings, run, folders)
    cells = sorted(cells_of(profile, methods.values()), key=lambda cell: cell.split)
    long = score_methods(profile, target.dataset, cells, (profile.params.data.convention, SECONDS))
    tables = {}
    for epochs in settings.epochs:
        table = by_split(long, methods[epochs], SECONDS, SECOND_COLUMNS)
        chosen = {str(split): choose_epoch(part, epochs, settings.select_on) for split, part in parts.items()}
        loss = f"{'test' if settings.select_on == 'last' else settings.select_on}_loss"
        losses = {str(split): part.set_index("epoch")[loss][chosen[str(split)]] for split, part in parts.items()}
        table["best_loss"], table["best_epoch"] = pd.Series(losses), pd.Series(chosen).astype(float)
        if len(parts) > 1:
            table.loc["mean", "best_loss"] = pd.Series(losses).mean()
        tables[epochs] = table
    return FineTuned(histories(parts, "split"), long, tables)


def objectives_compared(profile: Profile, target: Target, ready: Pretrained, weights: str) -> pd.DataFrame:
    """Split 1 by the other objective too: what the thesis's text says against what its code did.

    Returns:
        A row an objective: accuracy of the test videos' seconds, percent, after each result's epochs and at its best.
    """
    settings, rows = profile.params.finetune, {}
    for objective in ("head", "contrastive"):
        asked = settings.model_copy(update={"objective": objective, "select_on": "last"})
        same = objective == settings.objective  # then the run is there already
        method = f"videoclip_{weights}_finetuned" if same else f"videoclip_{weights}_{objective}"
        history = fine_tune(target, 1, ready.model, _names(profile, target), asked, profile.out.run(method, 1), {})
        accuracy = history.set_index("epoch")["test_accuracy"]
        rows[objective] = {f"after {epochs} epochs": accuracy[epochs] for epochs in settings.epochs}
        rows[objective]["highest*"] = accuracy.max()
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("objective")


def _names(profile: Profile, target: Target) -> Names:
    texts = prompts(target.dataset.classes, profile.params.zero_shot.prompts)
    rows = tokenizer(profile.params.videoclip)(texts, padding=True, return_tensors="pt")
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
