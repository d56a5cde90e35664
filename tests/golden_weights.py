"""The golden files' weights and inputs, made by a rule instead of being kept (tests/golden/README.md)."""

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

GOLDEN = Path(__file__).parent / "golden"


def filled(state: Mapping[str, Tensor], scale: float, prefix: str = "") -> dict[str, Tensor]:
    """A state dict of official names with values by the rule: drawn with the name, less its prefix, as the seed."""
    return {
        name: _drawn(name.removeprefix(prefix), value, scale, name.removesuffix("weight") + "running_var" in state)
        for name, value in state.items()
    }


def fill(model: nn.Module, scale: float) -> None:
    """Fill a model whose names are the official ones."""
    model.load_state_dict(filled(model.state_dict(), scale))


def check(state: Mapping[str, Tensor]) -> list[float]:
    """What the files keep as `param_check`: number, sum and sum of absolute values of all floating-point entries."""
    floats = [value.double() for value in state.values() if value.is_floating_point()]
    return [sum(map(torch.numel, floats)), *(sum(f(v).item() for v in floats) for f in (torch.sum, _absolute_sum))]


def draw(seed: int, *shape: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def _drawn(name: str, value: Tensor, scale: float, is_batch_norm: bool) -> Tensor:
    if not value.is_floating_point():
        return value
    drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(tuple(value.shape)) * scale
    if name.endswith("LayerNorm.weight") or (name.endswith(".weight") and is_batch_norm):
        drawn = 1 + drawn
    elif name.endswith("running_var"):
        drawn = np.abs(drawn) + 1
    return torch.from_numpy(drawn.astype(np.float32))


def _absolute_sum(value: Tensor) -> Tensor:
    return value.abs().sum()
