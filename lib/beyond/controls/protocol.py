"""One training protocol for every method of 4.2: one label per second, the epoch chosen on held-out people.

The target set is written again in the MS-TCN layout, at one frame per second, so that `open_dataset` reads it:

    <outputs>/seconds/{mapping.txt, groundTruth, splits, features/<set>}

The label of a second is that of the frame in its middle; its feature is S3D's, or the mean of the frames' features. A
net is ASFormer on features, VideoCLIP's video tower with a linear head over its dense states, or ASFormer on the states
of a tower that learns with it. All see the same training videos, and the epoch with the highest accuracy on the
validation people's seconds is taken. Test videos are predicted, not scored, in each epoch.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import Tensor, nn

from lib.asformer.training import MADE_BY as ASFORMER
from lib.asformer.training import FrameInputs, asformer_learner, build_asformer, fit_frames, standardization
from lib.core.checkpoints import Learner, digest, save_tensors
from lib.core.devices import choose_device
from lib.core.files import key, write_json
from lib.core.settings import Asformer, Finetune
from lib.core.training import Row
from lib.data.dataset import Dataset, write_layout
from lib.data.files import save_array
from lib.scoring.seconds import at_one_fps
from lib.videoclip.finetuning import MADE_BY as FINETUNING
from lib.videoclip.finetuning import hold_out
from lib.videoclip.model import VideoCLIP
from lib.videoclip.windows import second_states

MADE_BY = ("beyond.controls.protocol", *ASFORMER, *FINETUNING)


def write_labels(root: Path, dataset: Dataset, splits: Sequence[int]) -> None:
    """Write the mapping, the labels of the seconds and these splits."""
    labels = {video: at_one_fps(dataset.labels(video), dataset.fps) for video in dataset.videos}
    write_layout(root, dataset.classes, labels, {split: dataset.split(split) for split in splits})


def write_features(root: Path, name: str, features: Mapping[str, np.ndarray]) -> None:
    """Write a feature set. `features`: video -> (T, D), one row per second."""
    for video, rows in features.items():
        save_array(root / "features" / name / f"{video}.npy", np.ascontiguousarray(rows.T, np.float32))


def second_means(feature: np.ndarray, fps: float) -> np.ndarray:
    """Average features (D, frames) over each second's frames: (T, D), T = seconds that have begun.

    >>> second_means(np.array([[1.0, 3.0, 5.0, 7.0, 9.0]]), fps=2).T.tolist()
    [[2.0, 6.0, 9.0]]
    """
    second = (np.arange(feature.shape[1]) / fps).astype(int)
    sums = np.add.reduceat(feature, np.searchsorted(second, np.arange(second[-1] + 1)), axis=1)
    return (sums / np.bincount(second)).T


class DenseStates(nn.Module):
    """VideoCLIP's state of each second, the mean over the windows that contain it: (1, D, T) -> (1, H, T)."""

    def __init__(self, tower: VideoCLIP, settings: Finetune):
        super().__init__()
        self.tower, self.settings = tower, settings
        for unused in (tower.text, tower.video.embeddings.word_embeddings):
            unused.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        how = self.settings.test_stride, self.settings.cls_visible, getattr(torch, self.settings.dtype)
        return second_states(self.tower, x[0].T, *how).T[None]


class Head(nn.Module):
    """A linear head over the states: (1, H, T) -> (1, 1, K, T)."""

    def __init__(self, width: int, classes: int):
        super().__init__()
        self.linear = nn.Linear(width, classes)

    def forward(self, states: Tensor) -> Tensor:
        return self.linear(states[0].T).T[None, None]


@dataclass(frozen=True)
class Run:
    """A finished control."""

    # video -> log-probabilities of its seconds (T, K), of the validation and test videos
    scores: Mapping[str, np.ndarray]
    epoch: int  # the chosen one; 0 without epochs
    cpu_seconds: float  # of the training


def parts(dataset: Dataset, split: int, people: int) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Videos to train on, to choose on and to test on; the people held out are the same for all methods and seeds."""
    train, test = dataset.split(split)
    return *hold_out(train, people, seed=split), test


def train_seconds(
    dataset: Dataset,
    videos: tuple[Sequence[str], Sequence[str], Sequence[str]],
    asformer: Asformer | None,
    front: DenseStates | None,
    finetune: Finetune,
    epochs: int,
    seed: int,
    folder: Path,
) -> Run:
    """Train a net on the seconds of a data set (fps 1); keep each epoch's scores, and validation_accuracy in percent.

    Args:
        asformer: its settings; None: a linear head.
        front: a tower that learns with it, whose features must not be standardized; None: ASFormer on the features.

    Raises TrainingError: the loss is not finite.
    """
    train, validation, test = videos
    mean, scale = standardization(dataset, train, standardize=front is None)
    frames = FrameInputs(dataset, mean, scale, choose_device())
    net = _net(dataset, asformer, front, seed).to(frames.device)
    learner = _learner(net, asformer, front, finetune)
    rates = [group["lr"] for group in learner.optimizer.param_groups]
    started = [time.process_time()]

    def warm_up(step: int) -> None:
        for group, rate in zip(learner.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, step / finetune.warmup)

    def measure(epoch: int, sums: Row) -> Row:
        with torch.inference_mode():
            scores = {v: net(frames.features(v))[-1, 0].log_softmax(dim=0).T for v in (*validation, *test)}
        kept = {video: values.float().cpu().contiguous() for video, values in scores.items()}
        save_tensors(folder / f"scores_{epoch:03d}.safetensors", kept, {})
        right = [kept[video].argmax(dim=1).numpy() == dataset.labels(video) for video in validation]
        row = {"train_loss": sums["loss"] / len(train), "validation_accuracy": 100 * np.concatenate(right).mean()}
        spent, started[0] = time.process_time() - started[0], time.process_time()
        return row | {"cpu_seconds": spent}

    how = [part and part.model_dump() for part in (asformer, finetune)]
    identity = key([how, videos, epochs, seed, digest(net), _content(frames, videos)], code=MADE_BY)
    smoothing = 0.0 if asformer is None else asformer.smoothing
    run = {"epochs": epochs, "seed": seed, "folder": folder, "key": identity}
    if front is not None:
        run["before"] = warm_up
    history = fit_frames(learner, frames, train, smoothing, measure, **run)
    epoch = int(history.loc[history["validation_accuracy"].idxmax(), "epoch"])
    scores = load_file(folder / f"scores_{epoch:03d}.safetensors")
    spent = float(history["cpu_seconds"].sum())
    write_json(folder / "result.json", {"epoch": epoch, "cpu_seconds": spent})
    return Run(scores, epoch, spent)


def _content(frames: FrameInputs, videos: Sequence[Sequence[str]]) -> str:
    """Hash of what the net reads: labels, then inputs."""
    names = list(chain(*videos))
    content = hashlib.sha256(b"".join(frames.dataset.labels(video).tobytes() for video in names))
    for video in names:
        content.update(frames.features(video).cpu().numpy().data)
    return content.hexdigest()


def _net(dataset: Dataset, asformer: Asformer | None, front: DenseStates | None, seed: int) -> nn.Module:
    """Build the net; the seed draws its weights, except the tower's."""
    width = dataset.feature_dim if front is None else front.tower.video.config.hidden_size
    if asformer is not None:
        top: nn.Module = build_asformer(width, len(dataset.classes), asformer, seed)
    else:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            top = Head(width, len(dataset.classes))
    return top if front is None else nn.Sequential(front, top)


def _learner(net: nn.Module, asformer: Asformer | None, front: DenseStates | None, finetune: Finetune) -> Learner:
    """Learner: ASFormer at its own rate; a tower and its head at the tower's, clipped and without a plateau rule."""
    if front is None:
        if asformer is None:
            raise ValueError("a linear head needs a tower that learns")
        return asformer_learner(net, asformer)
    own = {"lr": finetune.learning_rate}
    if asformer is not None:
        own = {"lr": asformer.learning_rate, "weight_decay": asformer.weight_decay}
    tower, top = ([weight for weight in part.parameters() if weight.requires_grad] for part in net.children())
    groups = [{"params": tower, "lr": finetune.learning_rate}, {"params": top, **own}]
    optimizer = torch.optim.Adam(groups, betas=finetune.betas, eps=finetune.epsilon, fused=True)
    return Learner(net, optimizer, clip=finetune.clip)
