"""Training of frame-wise nets: loss (thesis equation 3), training step, ASFormer on one split (thesis 2.3).

The loss is that of MS-TCN (Abu Farha and Gall, CVPR 2019) and ASFormer, in the form of the published code.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.asformer.model import ASFormer
from lib.core.checkpoints import Learner, save_tensors
from lib.core.devices import choose_device
from lib.core.files import key, read_json, write_json
from lib.core.settings import Asformer
from lib.core.training import TRAINER, Row, Step, fit, shuffled_steps
from lib.data.dataset import Dataset, channel_statistics
from lib.data.predictions import write_prediction
from lib.scoring.metrics import Convention, score

MADE_BY = (
    "asformer.model",
    "asformer.training",
    "data.dataset",
    "data.predictions",
    "scoring.labels",
    "scoring.metrics",
    *TRAINER,
)

CLIP = 16.0  # tau squared, tau = 4 (Farha and Gall, CVPR 2019, equation 6)


def segmentation_loss(logits: Tensor, target: Tensor, smoothing: float) -> Tensor:
    """Sum over the stages of cross-entropy + smoothing * clipped squared change of log-probabilities.

    The thesis writes the change of probabilities and a weight of .25; its code, like ASFormer's, takes
    log-probabilities, holds those of the earlier frame fixed, clips the square at 16 and weights it by .15.

    Args:
        logits: (S, 1, K, T) scores of S stages.
        target: (T,) class of each frame.
        smoothing: lambda of equation 3.

    >>> logits = torch.zeros(2, 1, 4, 3)
    >>> segmentation_loss(logits, torch.tensor([0, 1, 2]), smoothing=0.15).item() / 2  # ln 4
    1.3862943649291992
    """
    log_probabilities = logits[:, 0].log_softmax(dim=1)  # (S, K, T)
    stages = len(logits)
    entropy = F.nll_loss(log_probabilities, target.expand(stages, -1)) * stages
    change = log_probabilities[:, :, 1:] - log_probabilities[:, :, :-1].detach()
    smooth = torch.clamp(change.square(), max=CLIP).mean() * stages
    return entropy + smoothing * smooth


@dataclass
class FrameInputs:
    """Inputs and targets of a frame-wise net, by video."""

    dataset: Dataset
    mean: np.ndarray  # of the standardization, (D, 1), like `scale`
    scale: np.ndarray
    device: torch.device
    sample_rate: int = 1  # every n-th frame is used
    # all sampled features stay in memory: 2 GB on 50 Salads
    _kept: dict[str, Tensor] = field(default_factory=dict, init=False)

    def features(self, video: str) -> Tensor:
        """Standardized features of the sampled frames, (1, D, T)."""
        if video not in self._kept:
            sampled = (self.dataset.feature(video)[:, :: self.sample_rate] - self.mean) / self.scale
            self._kept[video] = torch.from_numpy(sampled)[None].to(self.device)
        return self._kept[video]

    def target(self, video: str) -> Tensor:
        """Class of each sampled frame, (T,)."""
        return torch.from_numpy(self.dataset.labels(video)[:: self.sample_rate].copy()).to(self.device)


def fit_frames(
    learner: Learner,
    frames: FrameInputs,
    train: Sequence[str],
    smoothing: float,
    measure: Callable[[int, Row], Row],
    before: Callable[[int], None] = lambda _: None,
    **run: Any,
) -> pd.DataFrame:
    """Train a frame-wise net, one video per step.

    Args:
        learner: its net maps (1, D, T) to the logits of one or more stages, (S, 1, K, T).
        measure: (epoch, sums) -> row of the history; sums are loss, correct (frames), the same of each stage
            (stage_1 …) and frames.
        before: is called with the number of each step, to set a learning rate.
        run: epochs, seed, folder and key, as in `lib.core.training.fit`.

    Raises TrainingError: a loss is not finite.
    """

    def losses_of(step: Step) -> list[tuple[Tensor, Row]]:
        before(step.number)
        logits, target = learner.model(frames.features(step.video)), frames.target(step.video)
        # of each stage: the encoder, then the decoders
        correct = (logits[:, 0].argmax(dim=1) == target).sum(dim=1).tolist()
        counts = {f"stage_{stage}": hits for stage, hits in enumerate(correct, 1)}
        counts |= {"correct": correct[-1], "frames": len(target)}
        return [(segmentation_loss(logits, target, smoothing), counts)]

    return fit(learner, partial(shuffled_steps, train, run["seed"]), losses_of, measure, **run)


def asformer_learner(model: nn.Module, settings: Asformer) -> Learner:
    """Learner with Adam, and a learning rate that falls when the training loss stops falling."""
    optimizer = torch.optim.Adam(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=settings.plateau_factor, patience=settings.plateau_patience
    )
    return Learner(model, optimizer, scheduler)


def train_split(
    dataset: Dataset,
    split: int,
    settings: Asformer,
    folder: Path,
    predictions: Path,
    *,
    seed: int | None = None,
    convention: Convention = "mstcn",
    ignore: Sequence[str] = (),
) -> pd.DataFrame:
    """Train on the split's training videos and write the last epoch's prediction for each test video.

    The test videos are scored every `settings.test_every` epochs for the figures; this chooses nothing.

    Args:
        folder: of the run: weights, history, the statistics of the standardization, result.json.
        seed: replaces settings.seed.
        convention, ignore: how the test videos are scored, as in lib.scoring.metrics.

    Returns:
        The history, a row per epoch: epoch, learning_rate, train_loss (mean over videos), train_accuracy and, by stage,
        train_accuracy_stage_1 … (as the epoch went), and accuracy, edit, f1@10, f1@25, f1@50 (test videos, or NaN).

    Raises:
        TrainingError: the loss is not finite.
        DatasetError: no such split, or features that cannot be used.
    """
    seed = settings.seed if seed is None else seed
    train, test = dataset.split(split)
    identity = _identity(dataset, split, settings, seed, convention, ignore)
    result = folder / "result.json"
    written = [predictions / f"{video}.txt" for video in test]
    if read_json(result, optional=True).get("key") == identity and all(path.exists() for path in written):
        return pd.read_csv(folder / "history.csv")

    mean, scale = standardization(dataset, train, settings.standardize, settings.sample_rate)
    save_tensors(
        folder / "standardization.safetensors", {"mean": torch.from_numpy(mean), "scale": torch.from_numpy(scale)}
    )
    frames = FrameInputs(dataset, mean, scale, choose_device(), settings.sample_rate)
    model = build_asformer(dataset.feature_dim, len(dataset.classes), settings, seed).to(frames.device)

    def measure(epoch: int, sums: Row) -> Row:
        row = {"train_loss": sums["loss"] / len(train), "train_accuracy": 100 * sums["correct"] / sums["frames"]}
        row |= {f"train_accuracy_{name}": 100 * sums[name] / sums["frames"] for name in sums if "stage" in name}
        if epoch % settings.test_every and epoch != settings.epochs:
            return row
        return row | score(
            [(predict(model, frames, video), dataset.names(video)) for video in test], convention, ignore
        )

    run = {"epochs": settings.epochs, "seed": seed, "folder": folder, "key": identity}
    history = fit_frames(asformer_learner(model, settings), frames, train, settings.smoothing, measure, **run)
    for video, path in zip(test, written, strict=True):
        write_prediction(path, predict(model, frames, video))
    reported = {"last_epoch": history.iloc[-1].to_dict(), "chosen_on_test": best_on_test(history)}
    write_json(result, {"key": identity, "split": split, "seed": seed, **reported})
    return history


def predict(model: ASFormer, frames: FrameInputs, video: str) -> list[str]:
    """Predict the best class of the last stage, repeated for frames not sampled: one name per annotated frame."""
    with torch.inference_mode():
        chosen = model(frames.features(video))[-1, 0].argmax(dim=0).cpu().numpy()
    labels = chosen.repeat(frames.sample_rate)[: len(frames.dataset.labels(video))]
    return [frames.dataset.classes[label] for label in labels]


def build_asformer(input_dim: int, classes: int, settings: Asformer, seed: int) -> ASFormer:
    """Build an untrained ASFormer; drawing its weights leaves the global generator as it was."""
    sizes = (settings.num_layers, settings.num_maps, settings.num_decoders)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        dtype = getattr(torch, settings.dtype)
        return ASFormer(input_dim, classes, *sizes, settings.channel_mask, settings.attention_band, dtype)


def best_on_test(history: pd.DataFrame) -> dict[str, float]:
    """Highest accuracy on the test videos and its (first) epoch: the thesis's columns, chosen on the videos it scores.

    >>> best_on_test(pd.DataFrame({"epoch": [1, 2, 3], "accuracy": [50.0, 60.0, float("nan")]}))
    {'accuracy': 60.0, 'epoch': 2}
    """
    best = history.loc[history["accuracy"].idxmax()]
    return {"accuracy": float(best["accuracy"]), "epoch": int(best["epoch"])}


def standardization(
    dataset: Dataset, train: Sequence[str], standardize: bool, sample_rate: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each channel over every n-th frame of the training videos, both (D, 1); or 0 and 1."""
    if not standardize:
        return np.zeros((dataset.feature_dim, 1), np.float32), np.ones((dataset.feature_dim, 1), np.float32)
    return channel_statistics(dataset.feature(video)[:, ::sample_rate] for video in train)


def _identity(
    dataset: Dataset, split: int, settings: Asformer, seed: int, convention: Convention, ignore: Sequence[str]
) -> str:
    """Key of the run: settings, code, and what the data set holds, wherever it lies."""
    content = hashlib.sha256()
    for video in (name for part in dataset.split(split) for name in part):
        content.update(video.encode())
        content.update(dataset.labels(video).tobytes())
        content.update(dataset.content(video).encode())
    values = {
        "settings": settings.model_dump(),
        "classes": dataset.classes,
        "split": split,
        "seed": seed,
        "scored": [convention, *ignore],
        "content": content.hexdigest(),
        "torch": torch.__version__,
    }
    return key(values, code=MADE_BY)
