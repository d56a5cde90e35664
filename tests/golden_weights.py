"""The golden files' weights and inputs, made by a rule instead of being kept (tests/golden/README.md)."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping
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


def cases(file: str) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of a golden file with several cases, by case and name."""
    found = defaultdict(dict)
    for key, value in np.load(GOLDEN / file).items():
        case, name = key.split("/")
        found[case][name] = value
    return found


def check_loss(loss_of: Callable[[Tensor, Tensor], Tensor], golden: Mapping[str, np.ndarray], atol: float) -> None:
    """Value and gradients of a loss of two sides are the golden ones."""
    sides = {name: torch.from_numpy(golden[name]).requires_grad_() for name in ("video", "text")}
    loss = loss_of(**sides)
    loss.backward()
    np.testing.assert_allclose(loss.item(), golden["loss"], rtol=1e-6)
    for name, side in sides.items():
        np.testing.assert_allclose(side.grad, golden[f"grad_{name}"], rtol=0, atol=atol, err_msg=name)


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
