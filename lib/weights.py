"""Files of weights: safetensors of ours, or a foreign checkpoint, read without running anything that it may hold."""

import argparse
import pickle
import re
import struct
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor


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
