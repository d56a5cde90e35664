"""What a training is made of and how it is kept in files: weights, optimizer, scheduler, and a note beside them.

Files of weights: safetensors of ours, or a foreign checkpoint, read without running anything that it may hold.
"""

import argparse
import hashlib
import json
import pickle
import re
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lib.core.devices import Group, alone
from lib.core.files import atomic


@dataclass
class Learner:
    """What a training changes.

    Attributes:
        model: in the state it begins with.
        optimizer: of its parameters that learn.
        scheduler: looks at the epoch's summed loss; None: the rate is set elsewhere.
        clip: largest norm of a step's gradient; None: as it comes.
        group: the processes that train together.
    """

    model: nn.Module
    optimizer: Optimizer
    scheduler: ReduceLROnPlateau | None = None
    clip: float | None = None
    group: Group = field(default_factory=alone)


def load_trained(model: nn.Module, weights: Path) -> None:
    """Take the weights that a run left; those that do not learn (frozen word vectors) stay as they are."""
    model.load_state_dict({**model.state_dict(), **load_file(weights)})


def trained(model: nn.Module) -> dict[str, Tensor]:
    """The state without parameters that do not learn."""
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: value for name, value in model.state_dict().items() if name not in frozen}


def keep(learner: Learner, path: Path, state: dict) -> None:
    """Write all that the next epoch needs, and `state` beside it."""
    moments = learner.optimizer.state_dict()
    tensors = {f"model.{name}": value for name, value in trained(learner.model).items()}
    for number, values in moments["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in values.items()}
    scheduler = None if learner.scheduler is None else learner.scheduler.state_dict()
    save_tensors(path, tensors, state | {"groups": moments["param_groups"], "scheduler": scheduler})


def restore(learner: Learner, path: Path) -> None:
    """Bring a learner to where `keep` left it."""
    tensors, state = load_file(path), saved_state(path)
    own = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    learner.model.load_state_dict({**learner.model.state_dict(), **own})
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, part = name.split(".")
            moments.setdefault(int(number), {})[part] = value.clone()  # not in the file's mapped memory
    learner.optimizer.load_state_dict({"state": moments, "param_groups": state["groups"]})
    if learner.scheduler is not None:
        learner.scheduler.load_state_dict(state["scheduler"])


def save_tensors(path: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """One file of tensors and what JSON can say, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"state": json.dumps(state)}))


def saved_state(path: Path) -> dict[str, Any]:
    """What stands beside the tensors of a run's file; empty where there is no file."""
    if not path.exists():
        return {}
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["state"])


def digest(net: nn.Module) -> str:
    """Identity of a net's weights."""
    total = hashlib.sha256()
    for name, values in net.state_dict().items():
        total.update(name.encode() + values.cpu().numpy().tobytes())
    return total.hexdigest()


class WeightsError(ValueError):
    """A file of weights that cannot be used; the message is one line."""


def read_weights(path: Path, entry: str | None, bring: str) -> dict[str, Tensor]:
    """The state dict of a file.

    Args:
        path: .safetensors, or anything that torch.save wrote.
        entry: key of the state dict in a foreign checkpoint; None: the checkpoint is the state dict.
        bring: how to get the file, for the message where it is missing.

    Raises:
        WeightsError: missing, damaged, or not of this form.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals([argparse.Namespace]):  # fairseq's training options
            lazily = zipfile.is_zipfile(path)  # since torch 1.6; what is not used, such as an optimizer, is not read
            checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=lazily)
    except FileNotFoundError:
        raise WeightsError(f"{path}: weights are not there; {bring}") from None
    except (OSError, EOFError, SafetensorError, RuntimeError, pickle.UnpicklingError, struct.error) as error:
        raise WeightsError(f"{path}: weights cannot be read ({_reason(error)}); fetch the file again") from None
    if entry is not None and not (isinstance(checkpoint, dict) and entry in checkpoint):
        raise WeightsError(f"{path}: expected a checkpoint with the key {entry!r}, found {_describe(checkpoint)}")
    state = checkpoint if entry is None else checkpoint[entry]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path}: expected names with their weights, found {_describe(state)}")
    return state


def _reason(error: Exception) -> str:
    """One line: what torch did not want to load, where it says so, else how its message begins."""
    text = str(error) or type(error).__name__
    if found := re.search(r"Unsupported (?:global|class|operand)[^\n]*", text):
        return f"it holds more than weights: {found.group()}"
    return text.splitlines()[0][:200]


def _describe(value: object) -> str:
    return f"the keys {', '.join(sorted(map(str, value)))[:200]}" if isinstance(value, dict) else type(value).__name__
