"""Video alone, after a pre-training on pairs or without one (4.4): what a head makes of a tower's states.

The tower starts untrained or pre-trained and stays as it is (frozen) or learns with the head, which is linear or
ASFormer. They are trained by the one trainer of frame-wise nets, with the same number of steps whatever the number of
labelled videos; a linear head over frozen states is solved (ridge). The test people's videos are scored, at one label
per second and in the convention of the published results.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from lib.asformer.training import FrameInputs, build_asformer, fit_frames
from lib.beyond.pairs.pretraining import Design
from lib.beyond.pairs.towers import Tower
from lib.core.checkpoints import Learner
from lib.core.training import one_cycle, set_rate
from lib.scoring.metrics import score


@dataclass(frozen=True)
class Use:
    """One way to use a tower."""

    head: Literal["linear", "asformer"]  # a linear layer, or ASFormer
    frozen: bool
    labelled: int


class VideoAlone(nn.Module):
    """A tower of video and a head over its states: (1, D, T) -> (S, 1, K, T)."""

    def __init__(self, tower: Tower, head: nn.Module, frozen: bool):
        super().__init__()
        self.tower, self.head, self.frozen = copy.deepcopy(tower).requires_grad_(not frozen), head, frozen

    def forward(self, x: Tensor) -> Tensor:
        if self.frozen:
            # without the dropout of training
            self.tower.eval()
        scores = self.head(self.tower.states(x))
        # a linear head is one stage
        return scores if scores.ndim == 4 else scores[None]


def labelled_videos(train: Sequence[str], count: int, seed: int) -> list[str]:
    """Draw the videos whose labels are seen; a smaller choice is part of every larger one."""
    return np.random.default_rng(seed).permutation(np.array(train))[:count].tolist()


def build_head(use: Use, classes: int, design: Design, seed: int) -> nn.Module:
    """Build an untrained head over the states; drawing it leaves the global generator as it was."""
    if use.head == "asformer":
        return build_asformer(design.width, classes, design.asformer, seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Conv1d(design.width, classes, 1)


def train_video(
    tower: Tower, use: Use, frames: FrameInputs, train: Sequence[str], seed: int, design: Design, folder: Path
) -> VideoAlone:
    """Train a head, and the tower unless it is frozen, on `use.labelled` of the split's training videos."""
    model = VideoAlone(tower, build_head(use, len(frames.dataset.classes), design, seed), use.frozen)
    decay = design.asformer.weight_decay
    optimizer = torch.optim.Adam(model.parameters(), design.head_rate, weight_decay=decay, fused=True)
    # repeated so that an epoch has as many steps as with all training videos
    chosen = labelled_videos(train, use.labelled, seed) * (len(train) // use.labelled)
    epochs = design.linear_epochs if use.head == "linear" else design.asformer_epochs

    def before(step: int) -> None:
        set_rate(optimizer, design.head_rate * one_cycle(step - 1, epochs * len(chosen)))

    run = {"epochs": epochs, "seed": seed, "folder": folder, "key": ""}
    fit_frames(
        Learner(model, optimizer), frames, chosen, design.asformer.smoothing, lambda _epoch, _sums: {}, before, **run
    )
    return model


def video_scores(predicted: Mapping[str, np.ndarray], frames: FrameInputs, ignore: Sequence[str]) -> pd.DataFrame:
    """One row per test video: accuracy, edit and f1@50 of its seconds' classes, in percent, convention `lea`."""
    skip = [frames.dataset.classes.index(name) for name in ignore]
    rows = {video: score([(labels, frames.target(video).numpy())], "lea", skip) for video, labels in predicted.items()}
    table = pd.DataFrame.from_dict(rows, orient="index")[["accuracy", "edit", "f1@50"]]
    return table.rename_axis("video").reset_index()


@torch.no_grad()
def predictions(model: nn.Module, frames: FrameInputs, test: Sequence[str]) -> dict[str, np.ndarray]:
    """Predict the best class of each second of the test videos."""
    return {video: model(frames.features(video))[-1, 0].argmax(dim=0).numpy() for video in test}


@torch.no_grad()
def frozen_inputs(tower: Tower, frames: FrameInputs, videos: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
    """Inputs that a linear head may read of each video, (T, D): its features, a frozen tower's states, or both."""
    features = {video: frames.features(video) for video in videos}
    states = {video: tower.states(values) for video, values in features.items()}
    both = {video: torch.cat((values, states[video]), dim=1) for video, values in features.items()}
    named = {"features": features, "states": states, "features and states": both}
    return {name: {video: x[0].T.numpy() for video, x in one.items()} for name, one in named.items()}


def ridge(
    inputs: Mapping[str, np.ndarray], frames: FrameInputs, train: Sequence[str], test: Sequence[str], penalty: float
) -> dict[str, np.ndarray]:
    """Solve a linear head on some videos (ridge regression on the classes) and predict the test videos' seconds."""
    labels = torch.cat([frames.target(video) for video in train]).numpy()
    head = make_pipeline(StandardScaler(), RidgeClassifier(penalty))
    head.fit(np.concatenate([inputs[video] for video in train]), labels)
    return {video: head.predict(inputs[video]) for video in test}
