"""Video alone, after a pre-training on pairs or without one (4.4): what a head makes of a tower's states.

The tower starts untrained or pre-trained and stays as it is (frozen) or learns with the head, which is linear or
ASFormer. All are trained by the one trainer of frame-wise nets, with the same steps whatever the number of labelled
videos, and score the test people's videos at one label per second in the convention of the published results.
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

from lib.asformer.training import Frames, build_asformer, fit_frames
from lib.beyond.controls.protocol import Head
from lib.beyond.pairs.towers import Tower
from lib.core.checkpoints import Learner
from lib.core.settings import Asformer, SensorPairs
from lib.core.training import one_cycle, set_rate
from lib.scoring.metrics import score

MEASURES = ("accuracy", "edit", "f1@50")


@dataclass(frozen=True)
class Use:
    """How a tower is used.

    Attributes:
        head: a linear layer, or ASFormer.
        frozen: the tower stays as it is.
        labelled: videos whose labels are seen.
    """

    head: Literal["linear", "asformer"]
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
        return self.head(self.tower.states(x))


def labelled_videos(train: Sequence[str], count: int, seed: int) -> list[str]:
    """The videos whose labels are seen, each as often as makes an epoch of all training videos' steps."""
    chosen = np.random.default_rng(seed).permutation(np.array(train))[:count].tolist()
    return chosen * (len(train) // count)


def train_video(
    tower: Tower, use: Use, frames: Frames, train: Sequence[str], seed: int, how: tuple[SensorPairs, Asformer], folder: Path
) -> VideoAlone:
    """Train a head, and the tower unless it is frozen.

    Args:
        train: the split's training videos, of which `use.labelled` are drawn.
        how: the settings here and those of ASFormer.
        folder: of the run.
    """
    (settings, asformer), classes = how, len(frames.dataset.classes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        head: nn.Module = Head(settings.width, classes)
    epochs = settings.linear_epochs
    if use.head == "asformer":
        head, epochs = build_asformer(settings.width, classes, asformer, seed), settings.asformer_epochs
    model = VideoAlone(tower, head, use.frozen)
    learns = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learns, settings.head_rate, weight_decay=asformer.weight_decay, fused=True)
    chosen = labelled_videos(train, use.labelled, seed)

    def before(step: int) -> None:
        set_rate(optimizer, settings.head_rate * one_cycle(step - 1, epochs * len(chosen)))

    run = {"epochs": epochs, "seed": seed, "folder": folder, "key": ""}
    fit_frames(Learner(model, optimizer), frames, chosen, asformer.smoothing, lambda _epoch, _sums: {}, before, **run)
    return model


def test_scores(predicted: Mapping[str, np.ndarray], frames: Frames, ignore: Sequence[str]) -> pd.DataFrame:
    """A row per test video: MEASURES in percent, convention `lea`.

    Args:
        predicted: class numbers of each video's seconds.
    """
    skip = [frames.dataset.classes.index(name) for name in ignore]
    rows = {
        video: score([(labels, frames.target(video).numpy())], "lea", skip) for video, labels in predicted.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")[list(MEASURES)].rename_axis("video").reset_index()


@torch.no_grad()
def predictions(model: nn.Module, frames: Frames, test: Sequence[str]) -> dict[str, np.ndarray]:
    """The best class of each second of the test videos."""
    return {video: model(frames.features(video))[-1, 0].argmax(dim=0).numpy() for video in test}


@torch.no_grad()
def ridge_accuracy(tower: Tower, frames: Frames, train: Sequence[str], test: Sequence[str], penalty: float) -> float:
    """Accuracy of a ridge classifier of single states, percent, mean over the test videos; solved, not trained."""
    states = {video: tower.states(frames.features(video))[0].T.numpy() for video in (*train, *test)}
    rows, labels = np.concatenate([states[video] for video in train]), [frames.target(video) for video in train]
    probe = make_pipeline(StandardScaler(), RidgeClassifier(penalty)).fit(rows, torch.cat(labels).numpy())
    right = [(probe.predict(states[video]) == frames.target(video).numpy()).mean() for video in test]
    return 100 * float(np.mean(right))
