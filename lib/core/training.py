"""The trainer: one loop for every network here, which goes on exactly where it was killed.

After each epoch one file holds everything the next one needs: weights, optimizer, scheduler, history. The random
generators are seeded anew by seed and epoch, so there is nothing of them to keep. A run that was killed at any moment
and started again therefore ends with the very bytes of one that was not.

Learning rates as functions of how far a training is, set before each step: nothing to keep in a checkpoint.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lib.core.checkpoints import Learner, keep, load_trained, restore, save_tensors, saved_state, trained
from lib.core.devices import Group
from lib.core.files import write_text
from lib.core.progress import track

# What a training's key hashes of this room; see `lib.core.files.key`.
TRAINER = ("core.checkpoints", "core.devices", "core.training")


def histories(parts: Mapping[object, pd.DataFrame], name: str) -> pd.DataFrame:
    """Histories one below the other, a column `name` telling them apart."""
    return pd.concat(parts, names=[name]).reset_index(level=name).reset_index(drop=True)


def one_cycle(step: int, steps: int) -> float:
    """Factor at a step (from 0): linear warm-up over a tenth of the steps, then half a cosine down to zero.

    >>> [round(one_cycle(step, 20), 2) for step in (0, 1, 2, 11, 19)]
    [0.5, 1.0, 1.0, 0.5, 0.01]
    """
    warm = max(1, round(0.1 * steps))
    done = max(0, step - warm) / max(1, steps - warm)
    return min((step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * min(done, 1.0)))


def linear(step: int, warmup: int, steps: int) -> float:
    """Factor at a step (from 1): linear warm-up, then linear down to zero at `steps`.

    >>> [linear(step, 10, 110) for step in (1, 10, 60, 110)]
    [0.1, 1.0, 0.5, 0.0]
    """
    return min(step / warmup, max(0.0, (steps - step) / max(1, steps - warmup)))


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """For all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate


Row = dict[str, float]
Example = TypeVar("Example")


class TrainingError(ValueError):
    """A training that cannot go on; the message is one line."""


def fit(
    learner: Learner,
    examples_of: Callable[[int], Iterable[Example]],
    losses_of: Callable[[Example], Iterable[tuple[Tensor, Row]]],
    measure: Callable[[int, Row], Row],
    *,
    epochs: int,
    seed: int,
    folder: Path,
    key: str,
) -> pd.DataFrame:
    """Train, one example a step, and leave weights.safetensors and history.csv.

    Args:
        learner: in the end its model has the last epoch's weights and is in evaluation mode.
        examples_of: epoch (from 1) -> its examples in order, e.g. `shuffled` names of the training videos.
        losses_of: example -> the parts of its loss that are this process's, each with numbers to be summed over the
            epoch (not over processes), e.g. correct frames.
            A part's gradient is taken before the next part is asked for, so that memory holds one at a time.
        measure: epoch, sums (with `loss`) -> what the history keeps of it; the model is in evaluation mode.
        seed: of dropout and whatever else is drawn in training.
        folder: of the run. One that finished with the same key is loaded, one that was killed goes on.
        key: identity of the run (lib.core.files.key).

    Returns:
        The history: a row an epoch, columns epoch, learning_rate and those of `measure`.

    Raises:
        TrainingError: the loss is not finite; names example and epoch.
    """
    weights, checkpoint, leads = (
        folder / "weights.safetensors",
        folder / "checkpoint.safetensors",
        learner.group.rank == 0,
    )
    for cut_off in folder.glob(".*.tmp*") if leads else ():  # a kill while a file was written
        cut_off.unlink()
    if saved_state(weights).get("key") != key:
        history = _train(learner, examples_of, losses_of, measure, epochs, seed, checkpoint, key)
        if leads:
            write_text(folder / "history.csv", pd.DataFrame(history).to_csv(index=False))
            save_tensors(weights, trained(learner.model), {"key": key})  # last: it says that the run is finished
        learner.group.wait()
    if leads:
        checkpoint.unlink(missing_ok=True)
    load_trained(learner.model, weights)
    learner.model.eval()
    return pd.read_csv(folder / "history.csv")


def shuffled(examples: Sequence[Example], seed: int) -> Callable[[int], Iterator[Example]]:
    """Examples for `fit`: each epoch in an order of its own."""

    def of_epoch(epoch: int) -> Iterator[Example]:
        order = torch.randperm(len(examples), generator=torch.Generator().manual_seed(seed * 100_000 + epoch))
        return (examples[int(number)] for number in order)

    return of_epoch


def _train(
    learner: Learner,
    examples_of: Callable[[int], Iterable[Example]],
    losses_of: Callable[[Example], Iterable[tuple[Tensor, Row]]],
    measure: Callable[[int, Row], Row],
    epochs: int,
    seed: int,
    checkpoint: Path,
    key: str,
) -> list[Row]:
    model, optimizer, group = learner.model, learner.optimizer, learner.group
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    history: list[Row] = []
    if (state := saved_state(checkpoint)).get("key") == key:
        history = state["history"]
        restore(learner, checkpoint)
    first = len(history) + 1
    with torch.random.fork_rng():
        for epoch in track(range(first, epochs + 1), "epoch", total=epochs, initial=first - 1):
            torch.manual_seed(seed * 100_000 + epoch + 10_000 * group.rank)  # dropout differs between processes
            examples = examples_of(epoch)
            model.train()
            sums = {"loss": 0.0}
            for example in examples:
                optimizer.zero_grad()
                loss = torch.zeros((), device=group.device)
                for part, numbers in losses_of(example):
                    part.backward()
                    loss += part.detach()
                    for name, value in numbers.items():
                        sums[name] = sums.get(name, 0.0) + value
                group.add_up([loss, *_gradients(parameters, group)])
                if not math.isfinite(loss.item()):
                    raise TrainingError(
                        f"{checkpoint.parent}: the loss is {loss.item()} at {example} in epoch {epoch};"
                        " look for extreme features there, or lower the learning rate"
                    )
                if learner.clip is not None:
                    nn.utils.clip_grad_norm_(parameters, learner.clip)
                optimizer.step()
                sums["loss"] += loss.item()
            rate = optimizer.param_groups[0]["lr"]
            if learner.scheduler is not None:
                learner.scheduler.step(sums["loss"])
            model.eval()
            history.append({"epoch": epoch, "learning_rate": rate, **measure(epoch, sums)})
            if group.rank == 0:
                keep(learner, checkpoint, {"key": key, "history": history})
            group.wait()
    return history


def _gradients(parameters: list[nn.Parameter], group: Group) -> list[Tensor]:
    """Those there are; zeros where only other processes have one."""
    for parameter in parameters if group.size > 1 else ():
        parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    return [parameter.grad for parameter in parameters if parameter.grad is not None]
