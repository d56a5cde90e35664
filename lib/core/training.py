"""The trainer: one loop for every network, which resumes exactly where it was killed.

After each epoch, one file holds everything that the next one needs: weights, optimizer, scheduler, history. Nothing
random outlives an epoch: generators are seeded by seed and epoch, and learning rates are functions of the step. A run
that was killed at any moment and started again therefore ends with the same bytes as one that was not.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lib.core.checkpoints import Learner, keep, load_trained, restore, save_tensors, saved_state, trained
from lib.core.files import write_text
from lib.core.processes import track

# The modules of this room that a training's key hashes; see `lib.core.files.key`.
TRAINER = ("core.checkpoints", "core.devices", "core.training")


def histories(parts: Mapping[object, pd.DataFrame], name: str) -> pd.DataFrame:
    """Stack histories; the column `name` holds their keys."""
    return pd.concat(parts, names=[name]).reset_index(level=name).reset_index(drop=True)


def one_cycle(step: int, steps: int) -> float:
    """Learning-rate factor at a step (from 0): linear warm-up over a tenth of the steps, then a cosine decay to zero.

    >>> [round(one_cycle(step, 20), 2) for step in (0, 1, 2, 11, 19)]
    [0.5, 1.0, 1.0, 0.5, 0.01]
    """
    warm = max(1, round(0.1 * steps))
    done = max(0, step - warm) / max(1, steps - warm)
    return min((step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * min(done, 1.0)))


def linear(step: int, warmup: int, steps: int) -> float:
    """Learning-rate factor at a step (from 1): linear warm-up, then linear decay to zero at `steps`.

    >>> [linear(step, 10, 110) for step in (1, 10, 60, 110)]
    [0.1, 1.0, 0.5, 0.0]
    """
    return min(step / warmup, max(0.0, (steps - step) / max(1, steps - warmup)))


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the learning rate of all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate


Row = dict[str, float]
Example = TypeVar("Example")
ExamplesOf = Callable[[int], Iterable[Example]]
LossesOf = Callable[[Example], Iterable[tuple[Tensor, Row]]]
Measure = Callable[[int, Row], Row]


class TrainingError(ValueError):
    """A training that cannot continue; the message is one line."""


def fit(
    learner: Learner,
    examples_of: ExamplesOf[Example],
    losses_of: LossesOf[Example],
    measure: Measure,
    *,
    epochs: int,
    seed: int,
    folder: Path,
    key: str,
) -> pd.DataFrame:
    """Train, one example per step, and write weights.safetensors and history.csv.

    Args:
        learner: at the end its model has the last epoch's weights and is in evaluation mode.
        examples_of: epoch (from 1) -> its examples in order, e.g. `shuffled_steps`.
        losses_of: example -> yields (part of the loss, counts) for the parts computed by this process; counts, such as
            correct frames, are summed over the epoch, not over processes. The gradient of a part is taken before the
            next part is computed, so that memory holds one at a time.
        measure: epoch, sums (of `loss` and the counts) -> its row of the history; the model is in evaluation mode.
        folder: of the run. A run that finished with the same key is loaded, one that was killed is resumed.

    Returns:
        The history: one row per epoch, columns epoch, learning_rate and those of `measure`.

    Raises TrainingError: a loss is not finite; names example and epoch.
    """
    weights, checkpoint = folder / "weights.safetensors", folder / "checkpoint.safetensors"
    leads = learner.group.rank == 0
    if leads:
        # left by a process that was killed while writing a file
        for unfinished in folder.glob(".*.tmp*"):
            unfinished.unlink()
    if saved_state(weights).get("key") != key:
        history: list[Row] = []
        if (state := saved_state(checkpoint)).get("key") == key:
            history = state["history"]
            restore(learner, checkpoint)
        done = len(history)
        with torch.random.fork_rng():
            for epoch in track(range(done + 1, epochs + 1), "epoch", total=epochs, initial=done):
                torch.manual_seed(seed * 100_000 + epoch)
                history.append(_epoch(learner, epoch, examples_of(epoch), losses_of, measure, folder))
                if leads:
                    keep(learner, checkpoint, {"key": key, "history": history})
                learner.group.barrier()
        if leads:
            write_text(folder / "history.csv", pd.DataFrame(history).to_csv(index=False))
            # last, because this file marks the run as finished
            save_tensors(weights, trained(learner.model), {"key": key})
        learner.group.barrier()
    if leads:
        checkpoint.unlink(missing_ok=True)
    load_trained(learner.model, weights)
    learner.model.eval()
    return pd.read_csv(folder / "history.csv")


def fit_batches(
    model: nn.Module,
    optimizer: Optimizer,
    batch_loss: Callable[[], tuple[Tensor, Row]],
    *,
    batches: int,
    epochs: int,
    rate: float,
    seed: int,
    folder: Path,
    key: str,
) -> pd.DataFrame:
    """Train with `fit` on randomly drawn batches, with one warm-up and one cosine decay over the epochs.

    `batch_loss` draws a batch and returns its loss and further measures; the history has their means over an epoch.
    """

    def numbers(epoch: int) -> range:
        set_rate(optimizer, rate * one_cycle(epoch - 1, epochs))
        return range(batches)

    def means(_epoch: int, sums: Row) -> Row:
        return {name: value / batches for name, value in sums.items()}

    learner, losses = Learner(model, optimizer), lambda _batch: [batch_loss()]
    return fit(learner, numbers, losses, means, epochs=epochs, seed=seed, folder=folder, key=key)


class Step(NamedTuple):
    """A training step on one video: its number from 1 over the whole training."""

    number: int
    video: str

    def __str__(self) -> str:
        return self.video


def shuffled_steps(videos: Sequence[str], seed: int, epoch: int) -> list[Step]:
    """One step per video for `fit`, in an order drawn for the epoch."""
    order = torch.randperm(len(videos), generator=torch.Generator().manual_seed(seed * 100_000 + epoch)).tolist()
    return [Step(number, videos[int(place)]) for number, place in enumerate(order, 1 + (epoch - 1) * len(videos))]


def _epoch(
    learner: Learner,
    epoch: int,
    examples: Iterable[Example],
    losses_of: LossesOf[Example],
    measure: Measure,
    folder: Path,
) -> Row:
    """Train one epoch and return its row of the history."""
    learner.model.train()
    sums = {"loss": 0.0}
    for example in examples:
        # before the loss is computed, so that memory need not hold the last step's gradients
        learner.optimizer.zero_grad()
        loss = _step(learner, losses_of(example), sums)
        if not math.isfinite(loss):
            raise TrainingError(
                f"{folder}: the loss is {loss} at {example} in epoch {epoch};"
                " look for extreme features there, or lower the learning rate"
            )
    rate = learner.optimizer.param_groups[0]["lr"]
    if learner.scheduler is not None:
        learner.scheduler.step(sums["loss"])
    learner.model.eval()
    return {"epoch": epoch, "learning_rate": rate, **measure(epoch, sums)}


def _step(learner: Learner, losses: Iterable[tuple[Tensor, Row]], sums: Row) -> float:
    """Take one step, unless the loss is not finite. Add the loss and the counts to `sums` and return the loss."""
    parameters = [parameter for parameter in learner.model.parameters() if parameter.requires_grad]
    loss = torch.zeros((), device=learner.group.device)
    for part, counts in losses:
        part.backward()
        loss += part.detach()
        for name, value in counts.items():
            sums[name] = sums.get(name, 0.0) + value
    if learner.group.size > 1:
        # only other processes may have computed a part with this parameter
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    # the gradient is the sum over the processes
    learner.group.all_reduce([loss, *(parameter.grad for parameter in parameters if parameter.grad is not None)])
    if math.isfinite(loss.item()):
        if learner.clip is not None:
            nn.utils.clip_grad_norm_(parameters, learner.clip)
        learner.optimizer.step()
        sums["loss"] += loss.item()
    return loss.item()
