"""VideoCLIP fine-tuned on the target set (thesis 2.9; Xu et al., EMNLP 2021, section on COIN).

As the thesis's code did it: a new linear head over the dense states of the video tower, cross-entropy over all seconds
of all windows of one video a step (a second in four windows counts four times), windows every 8 seconds in training and
every 16 in test, no text. Its text and slides speak of a contrastive loss; that is the other objective here: each
second is to find its class's name among the names, and each name its seconds among the video's.

The learning rate is constant after the warm-up, so 8 epochs are the beginning of 15: one run gives both results.

What VideoCLIP says of each second when it is fine-tuned, and the losses over seconds (thesis 2.9, equation 5).

Which epoch of a fine-tuning is the result (thesis 2.9): the thesis's code took the one with the lowest test loss.
"""

import copy
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.core.checkpoints import Learner, digest
from lib.core.devices import alone, autocast
from lib.core.files import key, write_json
from lib.core.settings import Finetune
from lib.core.training import TRAINER, Row, fit, set_rate, shuffled
from lib.data.dataset import person
from lib.videoclip.model import VideoCLIP
from lib.videoclip.target import Target
from lib.videoclip.windows import cut_windows, merge_windows

MADE_BY = (
    "data.dataset",
    "scoring.labels",
    "scoring.metrics",
    "scoring.seconds",
    "videoclip.finetuning",
    "videoclip.model",
    "videoclip.packed_rows",
    "videoclip.target",
    "videoclip.windows",
    *TRAINER,
)

SelectOn = Literal["test", "validation", "last"]


def hold_out(videos: Sequence[str], people: int, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part a split's training videos by person.

    Args:
        videos: whose names tell the person (lib.data.dataset.person).
        people: so many of them go to validation, all their videos.
        seed: of the draw.

    Returns:
        Videos to train on and to validate on, in the order given.

    Raises:
        ValueError: nobody would be left to train on.

    >>> hold_out(["rgb-01-1", "rgb-01-2", "rgb-02-1"], people=1, seed=0)
    (('rgb-02-1',), ('rgb-01-1', 'rgb-01-2'))
    """
    everyone = sorted({person(video) for video in videos})
    if people >= len(everyone):
        raise ValueError(f"finetune.validation_people: {people} of {len(everyone)} leave nobody to train on")
    chosen = set(np.random.default_rng(seed).permutation(everyone)[:people].tolist())
    train = tuple(video for video in videos if person(video) not in chosen)
    return train, tuple(video for video in videos if person(video) in chosen)


def choose_epoch(history: pd.DataFrame, epochs: int, select_on: SelectOn) -> int:
    """The epoch that a result takes from the first `epochs` of a training.

    Args:
        history: columns epoch, test_loss and, for "validation", validation_loss.
        epochs: the result's.
        select_on: whose loss must be lowest; "last": the last of them.

    >>> curve = pd.DataFrame({"epoch": [1, 2, 3], "test_loss": [3.0, 1.0, 0.5]})
    >>> choose_epoch(curve, 2, "test"), choose_epoch(curve, 3, "test"), choose_epoch(curve, 3, "last")
    (2, 3, 3)
    """
    first = history[history["epoch"] <= epochs]
    if select_on == "last":
        return int(first["epoch"].iloc[-1])
    return int(first.loc[first[f"{select_on}_loss"].idxmin(), "epoch"])


@dataclass(frozen=True)
class Names:
    """The class names as the text tower reads them, (K, L) both: what `tokenizer(…, return_tensors="pt")` gives."""

    input_ids: Tensor
    attention_mask: Tensor


def learner_model(pretrained: VideoCLIP, settings: Finetune, classes: int, seed: int) -> VideoCLIP:
    """A copy of the pre-trained model that learns: with a new head and without its text tower, or both towers.

    Raises:
        ValueError: a head with fewer outputs than classes.
    """
    model = copy.deepcopy(pretrained)
    if settings.objective == "contrastive":
        return model
    outputs = settings.head or classes
    if outputs < classes:
        raise ValueError(f"finetune.head: {outputs} outputs for {classes} classes; null makes one for each")
    width = model.text.config.hidden_size
    model.head = nn.Linear(width, outputs)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        nn.init.normal_(model.head.weight, std=model.text.config.initializer_range)
    nn.init.zeros_(model.head.bias)
    model.text.requires_grad_(False)
    return model


def dense_scores(model: VideoCLIP, windows: Tensor, mask: Tensor, names: Names, settings: Finetune) -> Tensor:
    """Scores of the seconds of windows (N, W, D), (N, W) -> (N, W, outputs of the head, or K names)."""
    if settings.objective == "head":
        return model.frame_logits(windows, mask, settings.cls_visible)
    return model.video_states(windows, mask, settings.cls_visible) @ model.encode_text(*vars(names).values()).T


def names_loss(scores: Tensor, truth: Tensor) -> Tensor:
    """Equation 5 over a video's seconds (n, K): a second finds its name, a name its seconds (the mean over them).

    >>> round(names_loss(torch.zeros(6, 4), torch.tensor([0, 0, 1, 1, 1, 3])).item(), 3)  # ln 4 + ln 6
    3.178
    """
    among_seconds = scores.log_softmax(dim=0).gather(1, truth[:, None])[:, 0]
    present, place = truth.unique(return_inverse=True)
    sums = scores.new_zeros(len(present)).index_add_(0, place, among_seconds)
    return F.cross_entropy(scores, truth) - (sums / torch.bincount(place)).mean()


OBJECTIVES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"head": F.cross_entropy, "contrastive": names_loss}


class Step(NamedTuple):
    """One update: its number from 1 over the whole training, and its video."""

    number: int
    video: str

    def __str__(self) -> str:
        return self.video


def fine_tune(
    target: Target,
    split: int,
    pretrained: VideoCLIP,
    names: Names,
    settings: Finetune,
    folder: Path,
    predictions: Mapping[int, Path],
    seed: int | None = None,
) -> pd.DataFrame:
    """Train on one split and write the test videos' predictions of the epoch that each result takes.

    Args:
        pretrained: without a head; is left as it is.
        names: for the contrastive objective.
        folder: of the run: weights of the last epoch, history, the test videos' seconds as labelled by each epoch.
        predictions: result (epochs that it may choose from) -> folder of `<video>.txt`.
        seed: in place of settings.seed.

    Returns:
        The history, a row an epoch: train_loss and train_accuracy (as the epoch went), test_loss, test_accuracy (of
        seconds) and, where videos are held out, validation_loss.

    Raises:
        TrainingError: the loss is not finite.
        FeatureSetError: features that cannot be used.
        ValueError: a head with fewer outputs than classes.
    """
    seed, classes = settings.seed if seed is None else seed, len(target.dataset.classes)
    train, test = target.dataset.split(split)
    held_out: tuple[str, ...] = ()
    if settings.select_on == "validation":
        train, held_out = hold_out(train, settings.validation_people, seed)
    device = alone().device
    model = learner_model(pretrained, settings, classes, seed).to(device)
    size, inputs = model.max_video_len, Names(names.input_ids.to(device), names.attention_mask.to(device))

    def windows_of(video: str, stride: int) -> tuple[Tensor, Tensor, list[int]]:
        return cut_windows(torch.from_numpy(target.features(video, model.input_dim)).to(device), size, stride)

    def scores_of(windows: Tensor, mask: Tensor) -> Tensor:
        with autocast(device, getattr(torch, settings.dtype)):
            return dense_scores(model, windows, mask, inputs, settings).float()

    def loss_of(video: str) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, and the scores (n, K) and classes (n,) of the seconds of all windows."""
        windows, mask, starts = windows_of(video, settings.train_stride)
        truth = torch.from_numpy(target.truth(video, starts[-1] + int(mask[-1].sum()))).to(device)
        seconds = (torch.tensor(starts, device=device)[:, None] + torch.arange(size, device=device))[mask]
        scores = scores_of(windows, mask)[mask]
        return OBJECTIVES[settings.objective](scores, truth[seconds]), scores, truth[seconds]

    def steps_of(epoch: int) -> Iterator[Step]:
        order = enumerate(shuffled(train, seed)(epoch), 1 + (epoch - 1) * len(train))
        return (Step(number, video) for number, video in order)

    def losses_of(step: Step) -> list[tuple[Tensor, Row]]:
        set_rate(optimizer, settings.learning_rate * min(1.0, step.number / settings.warmup))
        loss, scores, truth = loss_of(step.video)
        right = (scores[:, :classes].argmax(dim=1) == truth).sum().item()
        return [(loss, {"correct": right, "seconds": len(truth)})]

    def label(video: str) -> list[int]:
        windows, mask, starts = windows_of(video, settings.test_stride)
        scores = scores_of(windows, mask)[:, :, :classes]  # a wider head must not answer with what is no class
        return merge_windows(scores, starts, starts[-1] + int(mask[-1].sum())).argmax(dim=1).tolist()

    def measure(epoch: int, sums: Row) -> Row:
        row = {"train_loss": sums["loss"] / len(train), "train_accuracy": 100 * sums["correct"] / sums["seconds"]}
        with torch.inference_mode():
            for part, videos in {"validation": held_out, "test": test}.items():
                if videos:
                    row[f"{part}_loss"] = sum(loss_of(video)[0].item() for video in videos) / len(videos)
            labels = {video: label(video) for video in test}
        write_json(folder / f"labels_{epoch:02d}.json", labels)
        truth = {video: target.truth(video, len(seconds)).tolist() for video, seconds in labels.items()}
        pairs = [pair for video in test for pair in zip(labels[video], truth[video], strict=True)]
        return row | {"test_accuracy": 100 * sum(ours == true for ours, true in pairs) / len(pairs)}

    learns = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learns, settings.learning_rate, betas=(0.9, 0.98), fused=True)
    identity = _identity(target, (*train, *held_out, *test), (train, held_out), pretrained, names, settings, seed)
    history = fit(
        Learner(model, optimizer, clip=settings.clip),
        steps_of,
        losses_of,
        measure,
        epochs=max(settings.epochs),
        seed=seed,
        folder=folder,
        key=identity,
    )
    for epochs, path in predictions.items():
        chosen = choose_epoch(history, epochs, settings.select_on)
        for video, seconds in json.loads((folder / f"labels_{chosen:02d}.json").read_text(encoding="utf-8")).items():
            target.write(path, video, seconds)
    return history


def _identity(
    target: Target,
    videos: Sequence[str],
    parts: object,
    pretrained: VideoCLIP,
    names: Names,
    settings: Finetune,
    seed: int,
) -> str:
    """Key of the run. Which epoch a result takes is no part of it, unless videos are held out for the choice."""
    content = hashlib.sha256(names.input_ids.numpy().tobytes())
    for video in videos:
        content.update(video.encode() + target.dataset.labels(video).tobytes())
        content.update(target.features(video, pretrained.input_dim).data)
    how = settings.model_dump(exclude={"select_on", "validation_people", "epochs"}) | {"epochs": max(settings.epochs)}
    values = [how, parts, target.dataset.classes, seed, content.hexdigest(), digest(pretrained), torch.__version__]
    return key(values, code=MADE_BY)
