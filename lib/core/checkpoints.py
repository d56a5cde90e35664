"""Files of a training (weights, optimizer, scheduler, a note), and foreign checkpoints, whose code is never run."""

import argparse
import hashlib
import json
import pathlib
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy._core import multiarray  # pyright: ignore[reportMissingImports]
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lib.core.devices import Group, single_process
from lib.core.files import atomic


@dataclass
class Learner:
    """What a training changes (model, optimizer, scheduler), and how it steps."""

    model: nn.Module
    optimizer: Optimizer  # of its trainable parameters
    # reads the epoch's summed loss; None: the learning rate is set elsewhere
    scheduler: ReduceLROnPlateau | None = None
    clip: float | None = None  # largest norm of a step's gradient; None: no clipping
    group: Group = field(default_factory=single_process)  # the processes that train together


def load_trained(model: nn.Module, weights: Path) -> None:
    """Load the weights of a run; frozen ones (word vectors), which a run does not store, stay as they are."""
    model.load_state_dict({**model.state_dict(), **load_file(weights)})


def trained(model: nn.Module) -> dict[str, Tensor]:
    """State of a model without its frozen parameters."""
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: value for name, value in model.state_dict().items() if name not in frozen}


def keep(learner: Learner, path: Path, state: dict) -> None:
    """Write everything that the next epoch needs, and the JSON note `state`."""
    moments = learner.optimizer.state_dict()
    tensors = {f"model.{name}": value for name, value in trained(learner.model).items()}
    for number, values in moments["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in values.items()}
    scheduler = None if learner.scheduler is None else learner.scheduler.state_dict()
    save_tensors(path, tensors, state | {"groups": moments["param_groups"], "scheduler": scheduler})


def restore(learner: Learner, path: Path) -> None:
    """Restore a learner to the state that `keep` wrote."""
    tensors, state = load_file(path), saved_state(path)
    own = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    learner.model.load_state_dict({**learner.model.state_dict(), **own})
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, part = name.split(".")
            # a copy, because the tensor lies in the file's mapped memory
            moments.setdefault(int(number), {})[part] = value.clone()
    learner.optimizer.load_state_dict({"state": moments, "param_groups": state["groups"]})
    if learner.scheduler is not None:
        learner.scheduler.load_state_dict(state["scheduler"])


def save_tensors(path: Path, tensors: dict[str, Tensor], state: dict[str, Any] | None = None) -> None:
    """Write tensors and a JSON note into one file, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"state": json.dumps(state or {})}))


def saved_state(path: Path) -> dict[str, Any]:
    """Read the note beside the tensors of a file; empty where there is no file."""
    if not path.exists():
        return {}
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["state"])


def digest(net: nn.Module) -> str:
    """Hash of a net's weights."""
    total = hashlib.sha256()
    for name, values in net.state_dict().items():
        total.update(name.encode() + values.cpu().numpy().tobytes())
    return total.hexdigest()


class WeightsError(ValueError):
    """A file of weights that cannot be used; the message is one line."""


# Values beside the weights of published checkpoints, by the names under which they are pickled. Building them runs
# no code from the file. Anything not listed here or by torch aborts the reading.
HARMLESS: list[Any] = [
    argparse.Namespace,
    *((kind, f"builtins.{kind.__name__}") for kind in (bool, dict, float, frozenset, int, list, slice, str, tuple)),
    *((pathlib.PurePath, f"pathlib.{name}") for name in ("Path", "PosixPath", "PurePath", "PurePosixPath")),
    *((pathlib.PurePath, f"pathlib._local.{name}") for name in ("Path", "PosixPath", "PurePath", "PurePosixPath")),
    *((pathlib.PureWindowsPath, f"pathlib.{name}") for name in ("WindowsPath", "PureWindowsPath")),
    # torch fills plain dictionaries and lists, but not these subclasses
    (lambda *_: {}, "collections.defaultdict"),
    (lambda *_: [], "collections.deque"),
    *(np.ndarray, np.dtype),
    *{type(np.dtype(code)) for code in np.typecodes["All"]},
    *(
        (getattr(multiarray, name), f"numpy.{core}.multiarray.{name}")
        for name in ("scalar", "_reconstruct")
        for core in ("core", "_core")
    ),
]

# Wrappers that put a prefix before every name: DataParallel, Lightning and others, torch.compile.
WRAPPERS = ("module.", "model.", "_orig_mod.")


def read_weights(path: Path, entry: str | None, remedy: str) -> dict[str, Tensor]:
    """Read the state dict of a .safetensors file or one of `torch.save`; no code in the file is executed.

    Prefixes that wrappers put before all names are removed. `entry` is the key of the state dict in a foreign
    checkpoint; None: the checkpoint is the state dict. `remedy` ends the message if there are no weights.

    Raises WeightsError: missing, damaged, not of this form, or not finite.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such file of weights; {remedy}")
    if kind := _instead_of_weights(path):
        raise WeightsError(f"{path}: this is {kind}, not weights; {remedy}")
    if path.suffix == ".safetensors":
        checkpoint, entry = _load(path, load_file), None
    else:
        # since torch 1.6; mapped into memory, so that e.g. an optimizer's state is not read
        mapped = zipfile.is_zipfile(path)
        with torch.serialization.safe_globals(HARMLESS):
            checkpoint = _load(path, torch.load, map_location="cpu", weights_only=True, mmap=mapped)
    if entry is not None and not (isinstance(checkpoint, dict) and entry in checkpoint):
        raise WeightsError(f"{path}: expected a checkpoint with the key {entry!r}, found {_describe(checkpoint)}")
    state = checkpoint if entry is None else checkpoint[entry]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path}: expected names with their weights, found {_describe(state)}")
    for name, value in state.items():
        # batch norms count their batches in int64
        if not (value.is_floating_point() or value.dtype == torch.int64):
            raise WeightsError(f"{path}: weight {name!r} is {value.dtype}; expected floating-point numbers")
        if not value.isfinite().all():
            raise WeightsError(f"{path}: weight {name!r} has NaN or infinite values; get the file again")
    return _without_wrapper({str(name): value for name, value in state.items()})


def load_strictly(net: nn.Module, path: Path, entry: str | None, remedy: str) -> None:
    """Load a file of weights into a net (arguments as in `read_weights`).

    Raises WeightsError: the file is missing, damaged or of another net.
    """
    state = read_weights(path, entry, remedy)
    try:
        net.load_state_dict(state, strict=True)
    except RuntimeError as error:
        # torch lists every name that does not fit; the first says enough
        first = (str(error).splitlines()[1:2] or [str(error)])[0].strip()
        raise WeightsError(f"{path}: not weights of this {type(net).__name__}: {first}") from None


def _load(path: Path, load: Any, **options: Any) -> Any:
    try:
        return load(path, **options)
    # a damaged pickle or header can raise anything; all of it means the same
    except Exception as error:
        text = str(error) or type(error).__name__
        reason = text.splitlines()[0][:200]
        if found := re.search(r"Unsupported (?:global|class|operand)[^\n]*|Trying to call[^\n]*", text):
            reason = f"it holds more than weights: {found.group()[:200]}"
        raise WeightsError(f"{path}: weights cannot be read ({reason}); get the file again") from None


def _instead_of_weights(path: Path) -> str | None:
    """Recognize what downloads sometimes leave in place of a file of weights."""
    with path.open("rb") as file:
        start = file.read(200).lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer (`git lfs pull` gets the file)"
    return "a web page" if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")) else None


def _without_wrapper(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Remove the prefixes that wrappers put before all names.

    >>> list(_without_wrapper({"module.model.fc.weight": torch.zeros(1), "module.model.bn.bias": torch.zeros(1)}))
    ['fc.weight', 'bn.bias']
    """
    for prefix in WRAPPERS * 2:
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _describe(value: object) -> str:
    return f"the keys {', '.join(sorted(map(str, value)))[:200]}" if isinstance(value, dict) else type(value).__name__
