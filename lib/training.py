"""The trainer: one loop for every network here, which goes on exactly where it was killed.

After each epoch one file holds everything the next one needs: weights, optimizer, scheduler, history. The random
generators are seeded anew by seed and epoch, so there is nothing of them to keep. A run that was killed at any moment
and started again therefore ends with the very bytes of one that was not.
"""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lib.artifacts import atomic, write_text
from lib.progress import track

Row = dict[str, float]


class TrainingError(ValueError):
    """A training that cannot go on; the message is one line."""


def fit(
    model: nn.Module,
    optimizer: Optimizer,
    scheduler: ReduceLROnPlateau,
    examples: Sequence[str],
    loss_of: Callable[[str], tuple[Tensor, Row]],
    measure: Callable[[int, Row], Row],
    *,
    epochs: int,
    seed: int,
    folder: Path,
    key: str,
) -> pd.DataFrame:
    """Train, one example a step, in an order drawn for each epoch, and leave weights.safetensors and history.csv.

    Args:
        model: in the state it begins with; in the end it has the last epoch's weights and is in evaluation mode.
        scheduler: looks at the epoch's summed loss.
        examples: names, e.g. of the training videos.
        loss_of: name -> loss, and numbers to be summed over the epoch, e.g. correct frames.
        measure: epoch (from 1), sums (with `loss`) -> what the history keeps of it; the model is in evaluation mode.
        seed: of order, dropout and whatever else is drawn in training.
        folder: of the run. One that finished with the same key is loaded, one that was killed goes on.
        key: identity of the run (lib.artifacts.key).

    Returns:
        The history: a row an epoch, columns epoch, learning_rate and those of `measure`.

    Raises:
        TrainingError: the loss is not finite; names example and epoch.
    """
    weights, checkpoint = folder / "weights.safetensors", folder / "checkpoint.safetensors"
    for cut_off in folder.glob(".*.tmp*"):  # a kill while a file was written
        cut_off.unlink()
    if _state(weights).get("key") != key:
        _train(model, optimizer, scheduler, examples, loss_of, measure, epochs, seed, checkpoint, key)
        write_text(folder / "history.csv", pd.DataFrame(_state(checkpoint)["history"]).to_csv(index=False))
        _save(weights, model.state_dict(), {"key": key})  # last: it says that the run is finished
    checkpoint.unlink(missing_ok=True)
    model.load_state_dict(load_file(weights))
    model.eval()
    return pd.read_csv(folder / "history.csv")


def _train(
    model: nn.Module,
    optimizer: Optimizer,
    scheduler: ReduceLROnPlateau,
    examples: Sequence[str],
    loss_of: Callable[[str], tuple[Tensor, Row]],
    measure: Callable[[int, Row], Row],
    epochs: int,
    seed: int,
    checkpoint: Path,
    key: str,
) -> None:
    history: list[Row] = []
    if (state := _state(checkpoint)).get("key") == key:
        history = state["history"]
        _restore(model, optimizer, scheduler, load_file(checkpoint), state)
    first = len(history) + 1
    with torch.random.fork_rng():
        for epoch in track(range(first, epochs + 1), "epoch", total=epochs, initial=first - 1):
            torch.manual_seed(seed * 100_000 + epoch)
            order = torch.randperm(len(examples), generator=torch.Generator().manual_seed(seed * 100_000 + epoch))
            model.train()
            sums = {"loss": 0.0}
            for example in [examples[int(i)] for i in order]:
                optimizer.zero_grad()
                loss, numbers = loss_of(example)
                numbers = {"loss": loss.item(), **numbers}
                if not math.isfinite(numbers["loss"]):
                    raise TrainingError(
                        f"{checkpoint.parent}: the loss is {numbers['loss']} at {example} in epoch {epoch};"
                        " look for extreme features there, or lower the learning rate"
                    )
                loss.backward()
                optimizer.step()
                sums = {name: sums.get(name, 0.0) + value for name, value in numbers.items()}
            row = {"epoch": epoch, "learning_rate": optimizer.param_groups[0]["lr"]}
            scheduler.step(sums["loss"])
            model.eval()
            history.append({**row, **measure(epoch, sums)})
            _keep(model, optimizer, scheduler, checkpoint, {"key": key, "history": history})


def _keep(model: nn.Module, optimizer: Optimizer, scheduler: ReduceLROnPlateau, path: Path, state: dict) -> None:
    moments = optimizer.state_dict()
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for number, values in moments["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in values.items()}
    _save(path, tensors, state | {"groups": moments["param_groups"], "scheduler": scheduler.state_dict()})


def _restore(
    model: nn.Module, optimizer: Optimizer, scheduler: ReduceLROnPlateau, tensors: dict[str, Tensor], state: dict
) -> None:
    model.load_state_dict({name: tensors[f"model.{name}"] for name in model.state_dict()})
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, part = name.split(".")
            moments.setdefault(int(number), {})[part] = value.clone()  # not in the file's mapped memory
    optimizer.load_state_dict({"state": moments, "param_groups": state["groups"]})
    scheduler.load_state_dict(state["scheduler"])


def _save(path: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    with atomic(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"state": json.dumps(state)}))


def _state(path: Path) -> dict[str, Any]:
    """What stands beside the tensors; empty where there is no file."""
    if not path.exists():
        return {}
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["state"])
