"""What a net reads in 4.3: CNN features of the video, motion windows of the sensors, or both, one step per second.

The CNN behind the video features was trained on the training videos and knows them by heart (`by_heart` in methods.py).
A net trained on these features as they are would trust them too much. So each time a training video is read, a random
constant and noise at every step are added to its video channels (`Perturbed`); the sensors, which no label has touched,
stay as they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from lib.asformer.training import FrameInputs
from lib.core.devices import choose_device
from lib.data.dataset import Dataset, channel_statistics
from lib.data.profile import Profile
from lib.data.sensors import motion_windows

Inputs = Literal["video", "sensors", "both"]
INPUTS: tuple[Inputs, ...] = ("video", "sensors", "both")
Arrays = Mapping[str, np.ndarray]  # video -> (D, T)


def standardized(arrays: Arrays, train: Iterable[str]) -> dict[str, np.ndarray]:
    """Bring channels to zero mean and unit variance over the steps of the training videos."""
    mean, deviation = channel_statistics(arrays[video] for video in train)
    return {video: ((values - mean) / deviation).astype(np.float32) for video, values in arrays.items()}


def inputs_of(dataset: Dataset, sensors: Arrays, train: Sequence[str]) -> dict[Inputs, dict[str, np.ndarray]]:
    """Make the three inputs of every video, float32 (D, T): video 128 channels, sensors 60, both 188 (video first).

    `sensors`: of every video, (30, T); channels are standardized over the steps of the training videos.
    """
    video = standardized({name: dataset.feature(name) for name in dataset.videos}, train)
    motion = standardized({name: motion_windows(sensors[name]) for name in dataset.videos}, train)
    both = {name: np.concatenate([video[name], motion[name]]) for name in dataset.videos}
    return {"video": video, "sensors": motion, "both": both}


def thinned(dataset: Dataset, step: int) -> Dataset:
    """Keep the labels of every `step`-th step, as the references score them.

    >>> from pathlib import Path
    >>> labels = {"v": np.array([0, 0, 0, 1, 1])}
    >>> thinned(Dataset(Path(), 3.0, ("cut", "peel"), ("v",), 0, labels, {}, None, None), 3).names("v")
    ['cut', 'peel']
    """
    labels = {video: dataset.labels(video)[::step] for video in dataset.videos}
    return replace(dataset, fps=dataset.fps / step, feature_dim=0, _labels=labels, _features=None)


@dataclass(frozen=True)
class Part:
    """Videos to learn from and videos to predict, with their inputs."""

    dataset: Dataset  # three steps per second; its features come from one split's CNN
    seconds: Dataset  # labels of the steps that nets read and on which references are scored
    inputs: Mapping[Inputs, Arrays]
    fit: Sequence[str]
    asked: Sequence[str]


def split_part(profile: Profile, sensors: Arrays, split: int, without: Sequence[str] = ()) -> Part:
    """Make a split's own part, in which the videos `without` are neither trained on nor predicted."""
    dataset = profile.public_dataset(split)
    fit, asked = ([video for video in part if video not in without] for part in dataset.split(split))
    seconds = thinned(dataset, profile.params.asformer.sample_rate)
    return Part(dataset, seconds, inputs_of(dataset, sensors, fit), fit, asked)


class Steps(FrameInputs):
    """FrameInputs of an input in memory. "video@1" means the video's steps from its second one on."""

    def __init__(self, dataset: Dataset, arrays: Arrays, sample_rate: int):
        none = np.zeros((1, 1), np.float32)
        super().__init__(dataset, none, none + 1, choose_device(), sample_rate)
        self.arrays = arrays

    def features(self, video: str) -> Tensor:
        """(1, D, T)"""
        name, _, first = video.partition("@")
        values = self.arrays[name][:, int(first or 0) :: self.sample_rate]
        return torch.from_numpy(np.ascontiguousarray(values))[None].to(self.device)

    def target(self, video: str) -> Tensor:
        """Class of each sampled step, (T,)."""
        name, _, first = video.partition("@")
        labels = self.dataset.labels(name)[int(first or 0) :: self.sample_rate]
        return torch.from_numpy(labels.copy()).to(self.device)


class Perturbed(Steps):
    """`Steps` for training: the first channels, those of the video, are moved anew each time a video is read.

    `shift` and `noise`: standard deviations of what is added to a channel, and to each of its steps.
    """

    def __init__(self, dataset: Dataset, arrays: Arrays, sample_rate: int, channels: int, shift: float, noise: float):
        super().__init__(dataset, arrays, sample_rate)
        self.channels, self.shift, self.noise = channels, shift, noise

    def features(self, video: str) -> Tensor:
        """(1, D, T)"""
        values = super().features(video)
        if not self.channels:
            return values
        moved = values[:, : self.channels]
        constant = self.shift * torch.randn_like(moved[:, :, :1])
        strength = 1.5 * torch.rand((), device=values.device)
        moved = moved + strength * (constant + self.noise * torch.randn_like(moved))
        return torch.cat([moved, values[:, self.channels :]], dim=1)
