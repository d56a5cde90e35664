"""Figure 13 (S3D), drawn from the real net: shapes, kernels and counts are read off by hooks, not typed."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from matplotlib.axes import Axes
from torch import nn

from lib.drawings import arrow, blank, box, column
from lib.s3d import S3D, Inception


def count_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def trace_s3d(net: S3D, full: S3D, size: Sequence[int]) -> pd.DataFrame:
    """Run a black clip (time, height, width) through the net and note what its blocks get and give.

    Args:
        net: whose outputs are noted; what happens between two blocks (pools) gets a row of its own.
        full: the full-size net, for its counts; it may be on the device "meta".

    Returns:
        Columns block, kernels, output (C x T x H x W), parameters, full-size parameters.
    """
    rows: list[tuple[str, str, str, int, int]] = []

    def note(name: str, kernels: str, shape: torch.Size, count: int = 0, full_count: int = 0) -> None:
        rows.append((name, kernels, "x".join(map(str, shape[1:])), count, full_count))

    def hook(module: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        name, shape = names[module], inputs[0].shape
        if "x".join(map(str, shape[1:])) != rows[-1][2]:
            between = "space to depth 2x2x2" if len(rows) == 1 else "mean" if len(shape) == 2 else "max pool"
            note(between, "", shape)
        counts = count_parameters(module), count_parameters(full.get_submodule(name))
        note(name, ", ".join(kernel_sizes(module)), output.shape, *counts)

    names = {module: name for name, module in net.named_children() if name != "text_module"}
    clip = torch.zeros(1, 3, *size)
    note("clip", "", clip.shape)
    handles = [module.register_forward_hook(hook) for module in names]
    with torch.inference_mode():
        net.eval()(clip)
    for handle in handles:
        handle.remove()
    return pd.DataFrame(rows, columns=["block", "kernels", "output", "parameters", "full-size parameters"])


def kernel_sizes(module: nn.Module) -> list[str]:
    """Kernels of a block's own convolutions, in order; not those of blocks within it."""
    return ["x".join(map(str, part.kernel_size)) for part in module.children() if isinstance(part, nn.Conv3d)]


def draw_s3d(ax: Axes, blocks: pd.DataFrame) -> Axes:
    """Figure 13a: the rows of `trace_s3d` from bottom to top, the counts beside them."""
    blank(ax, 5.4, len(blocks) + 1, "a) the video side, from bottom to top")
    texts = [f"{row.block} {row.kernels}".strip() for row in blocks.itertuples()]
    kinds = ["convolution" if count else "plain" for count in blocks["parameters"]]
    kinds = ["attention" if text == "gating" else kind for text, kind in zip(texts, kinds, strict=True)]
    column(ax, texts, [*kinds[:-1], "output"], 0.05, 2.1, 0.1, 1)
    columns = {"C x T x H x W": blocks["output"], "parameters": blocks["parameters"]}
    if not blocks["parameters"].equals(blocks["full-size parameters"]):
        columns["at full size"] = blocks["full-size parameters"]
    for x, (title, values) in zip((2.25, 4.3, 5.3), columns.items(), strict=False):
        shown = [value if isinstance(value, str) else f"{value:,}" if value else "–" for value in values]
        for place, text in enumerate([*shown, title]):
            ax.text(x, place + 0.41, text, fontsize=7.5, va="center", ha="left" if x < 3 else "right")
    return ax


def draw_inception(ax: Axes, block: Inception, name: str) -> Axes:
    """Figure 13b: the four branches with the kernels and channels of the module itself, and what a gate does."""
    blank(ax, 4, 11, f"b) a temporal separable inception block: {name}")
    inputs = block.conv_b0.conv1.in_channels
    box(ax, 0.9, 3.4, 2.2, 0.55, f"input: {inputs} channels", size=7.5)
    box(ax, 0.5, 10.2, 3.0, 0.55, f"side by side: {block.output_dim} channels", "output", 7.5)
    branches: list[list[Any]] = [
        [block.conv_b0, block.gating_b0],
        [block.conv_b1_a, block.conv_b1_b, block.gating_b1],
        [block.conv_b2_a, block.conv_b2_b, block.gating_b2],
        ["max pool\n3x3x3", block.conv_b3_b, block.gating_b3],
    ]
    for place, modules in enumerate(branches):
        boxes = [part for module in modules for part in _boxes(module)]
        x, y = 0.04 + place, 4.6
        arrow(ax, (2.0, 3.95), (x + 0.46, y))
        for number, (text, kind) in enumerate(boxes):
            y = 8.7 if number == len(boxes) - 1 else 4.6 + 1.36 * number
            box(ax, x, y, 0.92, 0.8, text, kind, 7)
            if number:
                arrow(ax, (x + 0.46, 5.4 + 1.36 * (number - 1)), (x + 0.46, y))
        arrow(ax, (x + 0.46, 9.5), (x + 0.46, 10.2))
    ax.text(0.04, 2.3, "a gate", fontsize=8)
    for x, text in zip((0.04, 1.12, 2.2), ("mean over\nT, H, W", "linear\nC -> C", "sigmoid"), strict=True):
        box(ax, x, 1.2, 0.84, 0.8, text, "attention", 7)
        arrow(ax, (x + 0.84, 1.6), (x + (1.08 if x < 2 else 1.2), 1.6))
    ax.text(3.66, 1.6, "times", fontsize=7.5, ha="center", va="center")
    arrow(ax, (0.42, 0.75), (3.66, 1.3), bend=0.12)
    ax.text(0.4, 0.75, "maps", fontsize=7.5, ha="right", va="center")
    return ax


def _boxes(module: Any) -> list[tuple[str, str]]:
    """Text and kind of the boxes of a part of a branch."""
    if isinstance(module, str):
        return [(module, "plain")]
    if hasattr(module, "fc"):
        return [(f"gate\n{module.fc.in_features}", "attention")]
    convolutions = [part for part in module.children() if isinstance(part, nn.Conv3d)]
    texts = [
        f"{kernel}\n{part.in_channels} -> {part.out_channels}"
        for kernel, part in zip(kernel_sizes(module), convolutions, strict=True)
    ]
    return [(text, "convolution") for text in texts]
