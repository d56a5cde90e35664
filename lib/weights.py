"""Files of weights: safetensors of ours, or a foreign checkpoint, read without running anything that it may hold."""

import argparse
import pickle
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
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"{path}: weights are not there; {bring}") from None
    except (OSError, SafetensorError, RuntimeError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(
            f"{path}: weights cannot be read ({reason}); fetch the file again, or, where it holds more than weights"
            " and you trust it, load it once with weights_only=False and save its state dict alone"
        ) from None
    if entry is None:
        return checkpoint
    if entry not in checkpoint:
        raise WeightsError(f"{path}: expected the key {entry!r}, found {sorted(map(str, checkpoint))}")
    return checkpoint[entry]
