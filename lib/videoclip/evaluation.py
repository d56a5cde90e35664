"""The zero-shot and the fine-tuning chapters: predict, train, score, collate (thesis 2.8.1, 2.8.2, 2.9.1, 2.9.2).

Depending on its seed, an untrained model scores well above or below one class in 19. A zero-shot score is therefore
reported beside those of untrained models, and beside the score of the commonest class.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from lib.backbones.text import tokenizer
from lib.core.training import histories
from lib.data.profile import Profile
from lib.scoring.folders import cells_of, half_widths, score_methods
from lib.scoring.metrics import METRICS
from lib.scoring.seconds import SECOND_COLUMNS, SECONDS, by_split
from lib.videoclip.finetuning import Names, choose_epoch, fine_tune
from lib.videoclip.model import VideoCLIP
from lib.videoclip.target import Target
from lib.videoclip.towers import Pretrained, build_videoclip
from lib.videoclip.zero_shot import class_vectors, prompts, second_scores

COMMONEST = "commonest_class"


@dataclass(frozen=True)
class ZeroShot:
    """Results of a zero-shot transfer."""

    metrics: pd.DataFrame
    ours: pd.DataFrame  # the thesis's columns, one row per split and their mean
    controls: Mapping[str, pd.DataFrame]  # the same for what a zero-shot score must be compared with
    untrained: Sequence[float]  # accuracy of each untrained model, mean over the splits
    frames: pd.DataFrame  # the segmental scores of 2.3 for the same predictions, by split


def zero_shot(profile: Profile, target: Target, ready: Pretrained, weights: str) -> ZeroShot:
    """Predict and score the splits of this run: the pre-trained model, untrained ones, and training's commonest class.

    `weights`: "own" or "public"; the methods are videoclip_<weights>_zero_shot, videoclip_<weights>_untrained_<seed>
    and commonest_class.
    """
    names = prompts(target.dataset.classes, profile.params.zero_shot.prompts)
    method, models = f"videoclip_{weights}_zero_shot", {}
    for seed in profile.params.zero_shot.seeds:
        model = build_videoclip(profile.params.videoclip, ready.model.input_dim, seed).eval()
        models[f"videoclip_{weights}_untrained_{seed}"] = model.to(next(ready.model.parameters()).device)
    runs = [(method, None, ready.model), *((method, repeat, model) for repeat, model in ready.further.items())]
    for name, repeat, model in [*runs, *((name, None, model) for name, model in models.items())]:
        for split, video, scores in scores_of(profile, target, model, names, profile.params.zero_shot.cls_visible):
            target.write(profile.out.predictions(name, split, repeat), video, scores.argmax(axis=1))
    for split in profile.splits:
        commonest = Counter(label for video in target.dataset.split(split)[0] for label in target.dataset.names(video))
        number = target.dataset.classes.index(commonest.most_common(1)[0][0])
        for video in target.dataset.split(split)[1]:
            target.write(profile.out.predictions(COMMONEST, split), video, [number])

    protocols = (profile.params.data.convention, SECONDS)
    metrics = score_methods(profile, target.dataset, cells_of(profile, [method, *models, COMMONEST]), protocols)
    tables = {name: _table(profile, target, metrics, name) for name in (method, *models, COMMONEST)}
    first, *others = (tables[name] for name in models)
    controls = {
        "untrained, mean of the seeds": sum(others, first) / len(models),
        "commonest class of training": tables[COMMONEST],
    }
    untrained = [tables[name]["accuracy"].iloc[-1] for name in models]
    frames = by_split(metrics, method, profile.params.data.convention, METRICS)
    return ZeroShot(metrics, tables[method], controls, untrained, frames)


def scores_of(
    profile: Profile, target: Target, model: VideoCLIP, texts: list[str], cls_visible: bool
) -> Iterator[tuple[int, str, np.ndarray]]:
    """Yield, for the splits of this run, the split, a test video and the class scores of its seconds, (T, K)."""
    vectors = class_vectors(model, tokenizer(profile.params.videoclip), texts)
    stride = profile.params.zero_shot.stride
    for split, video in target.tested():
        if split in profile.splits:
            features = target.features(video, model.input_dim)
            yield split, video, second_scores(model, features, vectors, stride, cls_visible)


def ways_to_ask(profile: Profile, target: Target, ready: Pretrained) -> pd.DataFrame:
    """Accuracy of the seconds for raw names and words, with [CLS] hidden and seen; it chooses nothing.

    In percent; one row per prompt style, one column per treatment of [CLS].
    """
    accuracy = {}
    for style, (seen, visible) in product(("raw", "words"), (("[CLS] hidden", False), ("[CLS] seen", True))):
        texts = prompts(target.dataset.classes, style)
        scored = scores_of(profile, target, ready.model, texts, visible)
        right = [scores.argmax(axis=1) == target.truth(video, len(scores)) for _, video, scores in scored]
        accuracy[style, seen] = 100 * np.concatenate(right).sum() / sum(map(len, right))
    return pd.Series(accuracy).unstack()


@dataclass(frozen=True)
class FineTuned:
    """Results of a fine-tuning."""

    history: pd.DataFrame  # one row per split and epoch, of the first training
    metrics: pd.DataFrame
    tables: Mapping[int, pd.DataFrame]  # result (epochs) -> the thesis's columns, one row per split and their mean
    frames: pd.DataFrame  # the segmental scores of 2.3 for the longest training, by split


def fine_tune_splits(profile: Profile, target: Target, ready: Pretrained, weights: str) -> FineTuned:
    """Train the splits of this run, or load finished ones; methods are called videoclip_<weights>_<n>_epochs.

    Each repeat starts from the pre-training with its number.
    """
    settings, names = profile.params.finetune, _names(profile, target)
    parts, methods = {}, {epochs: f"videoclip_{weights}_{epochs}_epochs" for epochs in settings.epochs}
    for split, repeat in product(profile.splits, profile.repeats):
        seed = repeat or None
        folders = {epochs: profile.out.predictions(method, split, seed) for epochs, method in methods.items()}
        run = profile.out.run(f"videoclip_{weights}_finetuned", split, seed)
        asked = settings.model_copy(update={"seed": repeat or settings.seed})
        history = fine_tune(target, split, ready.of(repeat), names, asked, run, folders)
        parts.setdefault(split, history)
    cells = sorted(cells_of(profile, methods.values()), key=lambda cell: cell.split)
    long = score_methods(profile, target.dataset, cells, (profile.params.data.convention, SECONDS))
    tables = {}
    for epochs in settings.epochs:
        table = _table(profile, target, long, methods[epochs])
        chosen = {str(split): choose_epoch(part, epochs, settings.select_on) for split, part in parts.items()}
        loss = f"{'test' if settings.select_on == 'last' else settings.select_on}_loss"
        losses = {str(split): part.set_index("epoch")[loss][chosen[str(split)]] for split, part in parts.items()}
        table["best_loss"], table["best_epoch"] = pd.Series(losses), pd.Series(chosen).astype(float)
        if len(parts) > 1:
            table.loc["mean", "best_loss"] = pd.Series(losses).mean()
        tables[epochs] = table
    frames = by_split(long, methods[settings.epochs[-1]], profile.params.data.convention, METRICS)
    return FineTuned(histories(parts, "split"), long, tables, frames)


def objectives_compared(profile: Profile, target: Target, ready: Pretrained, weights: str) -> pd.DataFrame:
    """Train split 1 with the other objective too, to compare the one in the thesis's text with the one in its code.

    Returns one row per objective: accuracy of the test seconds, in percent, after the epochs of the shortest result,
    and the highest until then.
    """
    settings, rows = profile.params.finetune, {}
    epochs = settings.epochs[0]
    for objective in ("head", "contrastive"):
        # the profile's own objective is trained already, and for longer
        same = objective == settings.objective
        method = f"videoclip_{weights}_finetuned" if same else f"videoclip_{weights}_{objective}"
        asked = {"objective": objective, "select_on": "last", "epochs": settings.epochs if same else (epochs,)}
        run, names = profile.out.run(method, 1), _names(profile, target)
        history = fine_tune(target, 1, ready.model, names, settings.model_copy(update=asked), run, {})
        accuracy = history.set_index("epoch")["test_accuracy"][:epochs]
        rows[objective] = {f"after {epochs} epochs": accuracy[epochs], "highest*": accuracy.max()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("objective")


def _table(profile: Profile, target: Target, metrics: pd.DataFrame, method: str) -> pd.DataFrame:
    """Table in the thesis's columns by split, mean over repeats; `attrs` hold half of the mean's 95 % interval."""
    table = by_split(metrics, method, SECONDS, SECOND_COLUMNS)
    halves = half_widths(target.dataset, cells_of(profile, [method]), SECONDS, ())
    table.attrs["±"] = {name: half / 100 for name, half in halves.items()}
    return table


def _names(profile: Profile, target: Target) -> Names:
    texts = prompts(target.dataset.classes, profile.params.zero_shot.prompts)
    rows = tokenizer(profile.params.videoclip)(texts, padding=True, return_tensors="pt")
    return Names(rows["input_ids"], rows["attention_mask"])
