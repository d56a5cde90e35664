"""VideoCLIP fine-tuned on the target set (thesis 2.9; Xu et al., EMNLP 2021, action segmentation on COIN).

Two objectives. "head" is what the thesis's code ran: a new linear head over the states of the video tower, and
cross-entropy over all seconds of all windows of one video per step, so that a second in four windows counts four times.
"contrastive" is what its text describes: equation 5 between the seconds of a video and the names of the classes.

The learning rate does not depend on the number of epochs, so 8 are the beginning of 15: one run gives both results. The
thesis's code took the epoch with the lowest test loss.
"""

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.core.checkpoints import Learner, digest
from lib.core.devices import autocast, choose_device
from lib.core.files import key, read_json, write_json
from lib.core.settings import Finetune
from lib.core.training import TRAINER, Row, Step, fit, linear, set_rate, shuffled_steps
from lib.data.dataset import person
from lib.videoclip.model import VideoCLIP
from lib.videoclip.target import Target
from lib.videoclip.windows import cut_windows, over_windows

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


def hold_out(videos: Sequence[str], people: int, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Divide a split's training videos by person into those to train on and those to validate on, in the given order.

    Raises ValueError: nobody would be left to train on.

    >>> hold_out(["rgb-01-1", "rgb-01-2", "rgb-02-1"], people=1, seed=0)
    (('rgb-02-1',), ('rgb-01-1', 'rgb-01-2'))
    """
    everyone = sorted({person(video) for video in videos})
    if people >= len(everyone):
        raise ValueError(f"finetune.validation_people: {people} of {len(everyone)} leave nobody to train on")
    chosen = set(np.random.default_rng(seed).permutation(everyone)[:people].tolist())
    train = tuple(video for video in videos if person(video) not in chosen)
    return train, tuple(video for video in videos if person(video) in chosen)


def choose_epoch(history: pd.DataFrame, epochs: int, select_on: Literal["test", "validation", "last"]) -> int:
    """Choose one of the first `epochs` epochs: the one with the lowest loss on these videos, or the last one.

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
    """Class names for the text tower, as returned by `tokenizer(…, return_tensors="pt")`: both (K, L)."""

    input_ids: Tensor
    attention_mask: Tensor


def learner_model(pretrained: VideoCLIP, settings: Finetune, classes: int, seed: int) -> VideoCLIP:
    """Copy the pre-trained model for training: the video tower with a new head, or (contrastive) both towers.

    Raises ValueError: a head with fewer outputs than classes.
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
    """Score each second of `windows` (N, W, D), `mask` (N, W), by the head or against K class names: (N, W, K)."""
    if settings.objective == "head":
        return model.frame_logits(windows, mask, settings.cls_visible)
    states = model.video_states(windows, mask, settings.cls_visible)
    return states @ model.encode_text(names.input_ids, names.attention_mask).T


def names_loss(scores: Tensor, truth: Tensor) -> Tensor:
    """Equation 5 over the scores (n, K) of a video's seconds: each second finds its name, each name its seconds.

    >>> round(names_loss(torch.zeros(6, 4), torch.tensor([0, 0, 1, 1, 1, 3])).item(), 3)  # ln 4 + ln 6
    3.178
    """
    among_seconds = scores.log_softmax(dim=0).gather(1, truth[:, None])[:, 0]
    present, place = truth.unique(return_inverse=True)
    sums = scores.new_zeros(len(present)).index_add_(0, place, among_seconds)
    return F.cross_entropy(scores, truth) - (sums / torch.bincount(place)).mean()


class FineTuning:
    """One fine-tuning on one split; the pre-trained model, which has no head, is not changed.

    The folder gets weights of the last epoch, history, and each epoch's labels of the test videos' seconds.
    """

    def __init__(
        self, target: Target, split: int, pretrained: VideoCLIP, names: Names, settings: Finetune, folder: Path
    ):
        self.target, self.settings, self.folder, self.seed = target, settings, folder, settings.seed
        self.train, self.test = target.dataset.split(split)
        self.held_out: tuple[str, ...] = ()
        if settings.select_on == "validation":
            self.train, self.held_out = hold_out(self.train, settings.validation_people, self.seed)
        self.classes = len(target.dataset.classes)
        self.identity = self._identity(pretrained, names)
        self.device = choose_device()
        self.names = Names(names.input_ids.to(self.device), names.attention_mask.to(self.device))
        self.model = learner_model(pretrained, settings, self.classes, self.seed).to(self.device)
        how = {"betas": settings.betas, "eps": settings.epsilon}
        self.optimizer = torch.optim.Adam(self.model.parameters(), settings.learning_rate, **how, fused=True)

    def run(self) -> pd.DataFrame:
        """Train, or load the finished run; returns the history, one row per epoch."""
        return fit(
            Learner(self.model, self.optimizer, clip=self.settings.clip),
            partial(shuffled_steps, self.train, self.seed),
            self.step_loss,
            self.measure,
            epochs=max(self.settings.epochs),
            seed=self.seed,
            folder=self.folder,
            key=self.identity,
        )

    def step_loss(self, step: Step) -> list[tuple[Tensor, Row]]:
        """Loss of one training step, and its counts of correct and of all seconds."""
        warmup, steps = self.settings.warmup, self.settings.decay_updates
        factor = linear(step.number, warmup, steps) if steps else min(1.0, step.number / warmup)
        set_rate(self.optimizer, self.settings.learning_rate * factor)
        loss, scores, truth = self.loss(step.video)
        correct = (scores[:, : self.classes].argmax(dim=1) == truth).sum().item()
        return [(loss, {"correct": correct, "seconds": len(truth)})]

    def loss(self, video: str) -> tuple[Tensor, Tensor, Tensor]:
        """Loss of a video, and the scores (n, K) and classes (n,) of the n seconds of all its windows."""
        features = self.features(video)
        windows, mask, starts = cut_windows(features, self.model.max_video_len, self.settings.train_stride)
        scores = self.scores(windows, mask)[mask]
        # the number of the second at each place of a window
        places = torch.arange(windows.shape[1], device=self.device)
        seconds = (torch.tensor(starts, device=self.device)[:, None] + places)[mask]
        # a second in several windows counts in each of them
        truth = torch.from_numpy(self.target.truth(video, len(features))).to(self.device)[seconds]
        objective = F.cross_entropy if self.settings.objective == "head" else names_loss
        return objective(scores, truth), scores, truth

    def label(self, video: str) -> list[int]:
        """Class of each second of a video."""
        size, stride = self.model.max_video_len, self.settings.test_stride
        scores = over_windows(self.features(video), size, stride, self.scores)
        # the outputs of a wider head beyond the classes mean nothing
        return scores[:, : self.classes].argmax(dim=1).tolist()

    def scores(self, windows: Tensor, mask: Tensor) -> Tensor:
        """`dense_scores` in the precision of the settings, returned as float32 (N, W, K)."""
        with autocast(self.device, getattr(torch, self.settings.dtype)):
            return dense_scores(self.model, windows, mask, self.names, self.settings).float()

    def features(self, video: str) -> Tensor:
        """S3D's features of a video, (T, D), one per second, on the device."""
        return torch.from_numpy(self.target.features(video, self.model.input_dim)).to(self.device)

    def measure(self, epoch: int, sums: Row) -> Row:
        """The epoch's row of the history; keeps the test videos' labels, one per second."""
        row = {"train_loss": sums["loss"] / len(self.train), "train_accuracy": 100 * sums["correct"] / sums["seconds"]}
        with torch.inference_mode():
            for part, videos in {"validation": self.held_out, "test": self.test}.items():
                if videos:
                    row[f"{part}_loss"] = sum(self.loss(video)[0].item() for video in videos) / len(videos)
            labels = {video: self.label(video) for video in self.test}
        write_json(self.labels_file(epoch), labels)
        truth = {video: self.target.truth(video, len(seconds)).tolist() for video, seconds in labels.items()}
        pairs = [pair for video in self.test for pair in zip(labels[video], truth[video], strict=True)]
        return row | {"test_accuracy": 100 * sum(ours == true for ours, true in pairs) / len(pairs)}

    def labels_file(self, epoch: int) -> Path:
        return self.folder / f"labels_{epoch:02d}.json"

    def _identity(self, pretrained: VideoCLIP, names: Names) -> str:
        """Key of the run. The choice of the epoch is not part of it, unless people are held out for that."""
        content = hashlib.sha256(names.input_ids.numpy().tobytes())
        for video in (*self.train, *self.held_out, *self.test):
            content.update(video.encode() + self.target.dataset.labels(video).tobytes())
            content.update(self.target.features(video, pretrained.input_dim).data)
        how = self.settings.model_dump(exclude={"select_on", "validation_people", "epochs"})
        how |= {"epochs": max(self.settings.epochs)}
        data = [(self.train, self.held_out), self.target.dataset.classes, content.hexdigest()]
        return key([how, data, self.seed, digest(pretrained), torch.__version__], code=MADE_BY)


def fine_tune(
    target: Target,
    split: int,
    pretrained: VideoCLIP,
    names: Names,
    settings: Finetune,
    folder: Path,
    predictions: Mapping[int, Path],
) -> pd.DataFrame:
    """Train on one split and write, for each result, the test videos' predictions of the epoch it takes.

    `predictions`: result (number of epochs to choose from) -> folder of `<video>.txt`.

    Returns the history, one row per epoch: train_loss and train_accuracy (during the epoch), test_loss, test_accuracy
    (of seconds) and, if people are held out, validation_loss.

    Raises:
        TrainingError: the loss is not finite.
        FeatureSetError: features that cannot be used.
        ValueError: a head with fewer outputs than classes.
    """
    training = FineTuning(target, split, pretrained, names, settings, folder)
    history = training.run()
    for epochs, path in predictions.items():
        chosen = training.labels_file(choose_epoch(history, epochs, settings.select_on))
        for video, seconds in read_json(chosen).items():
            target.write(path, video, seconds)
    return history
