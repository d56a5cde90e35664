"""Architecture figures, drawn from the real modules: shapes, parameters, kernels, windows of attention.

`flow` draws rows of boxes from bottom to top; what a box does, and so its colour, is read from its words.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from torch import nn

from lib.asformer.model import Mask
from lib.notebook.plots import WIDTH

COLOURS = {  # of boxes with these words; others are plain
    r"output|side by side|f\(x\)|g\(y\)|mean without|scores": "#efdbe6",
    r"attention|gate|maximum|tower:|decoder": "#fbe3c8",
    r"convolution|linear|MLP|parameters|I3D|\dx\dx\d": "#d5ebe2",
    r"": "#e8eef4",
}
EDGE = "#444444"
Row = str | Sequence[str | None]  # one box, or one per column; None: the column goes on without a box


def flow(ax: Axes, rows: Sequence[Row], title: str, skips: Sequence[tuple[int, int, int, str]] = ()) -> Axes:
    """Draw boxes row by row from bottom to top, each column joined by arrows; a row of one box spans all columns.

    `skips`: arrows past some rows: from row, to row, side (1: right, -1: left of the boxes), text at the end.
    """
    before: list[Any] = []  # the boxes that the next row's arrows start from
    for y, texts in enumerate(rows):
        row = [texts] if isinstance(texts, str) else list(texts)
        boxes: list[Any] = before.copy() if len(before) == len(row) else [None] * len(row)
        for place, text in enumerate(row):
            if text is None:
                continue
            colour = next(colour for words, colour in COLOURS.items() if re.search(words, text))
            look = {"boxstyle": "round,pad=0.3", "fc": colour, "ec": EDGE, "lw": 0.8}
            x = (place + 0.5) / len(row)
            boxes[place] = ax.text(x, y, text, ha="center", va="center", fontsize=8, bbox=look, linespacing=1.15)
            for other in before if len(before) != len(row) else [before[place]]:
                ends = {"patchA": other.get_bbox_patch(), "patchB": boxes[place].get_bbox_patch()}
                _arrow(ax, other.get_position(), (x, y), **ends)
        before = [box for box in boxes if box is not None]
    for low, high, side, text in skips:
        x = 0.5 + 0.42 * side
        _arrow(ax, (x, low), (x, high), bend=0.3 * side)
        ax.text(x, high + 0.08, text, fontsize=9, ha="center")
    ax.set(xlim=(0, 1), ylim=(-0.6, len(rows) - 0.4))
    ax.set_axis_off()
    ax.set_title(title, fontsize=9, loc="left")
    return ax


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], bend: float = 0, **ends: Any) -> None:
    """Draw an arrow between points, cut off at the boxes `ends` (patchA, patchB), which are drawn before it."""
    look: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 9, "lw": 0.9, "color": EDGE, "clip_on": False}
    curve = f"arc3,rad={bend}"
    ax.add_artist(FancyArrowPatch(start, end, connectionstyle=curve, shrinkA=0, shrinkB=0, zorder=4, **look, **ends))


def sizes(shape: Iterable[int]) -> str:
    """Write a shape with x between its sizes.

    >>> sizes((3, 16, 112, 112))
    '3x16x112x112'
    """
    return "x".join(map(str, shape))


def count_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def trace_blocks(blocks: Sequence[nn.Module], clip: torch.Tensor) -> pd.DataFrame:
    """Run a clip (1, C, T, H, W) through blocks in order: columns block, output (C x T x H x W), parameters."""
    rows = []
    with torch.inference_mode():
        for block in blocks:
            clip = block(clip)
            rows.append((type(block).__name__, sizes(clip.shape[1:]), count_parameters(block)))
    return pd.DataFrame(rows, columns=["block", "output", "parameters"])


def draw_i3d(blocks: pd.DataFrame, clip: Sequence[int], block: Any) -> Figure:
    """Draw Figure 3: the trunk with its shapes, for a clip of shape (1, C, T, H, W), and one inflated block."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 4.2))
    trunk = [f"{row.block}\n{row.output}, {row.parameters:,} parameters" for row in blocks.itertuples()]
    flow(left, [sizes(clip[1:]), *trunk], "a) the trunk here: channels x time x height x width")
    inside = [
        f"convolution {sizes(conv.kernel_size)}\n{conv.in_channels} -> {conv.out_channels}"
        for conv in (block.branch2.conv_a, block.branch2.conv_b, block.branch2.conv_c)
    ]
    flow(right, ["input", *inside, "output"], "b) an inflated block: time x height x width", [(0, 4, 1, "+")])
    return figure


def draw_two_streams(streams: dict[str, tuple[int, int]], window: int) -> Figure:
    """Draw Figure 4, the two streams. `streams`: name -> (input channels, feature dimension)."""
    figure, ax = plt.subplots(figsize=(WIDTH, 2.6))
    inputs = [f"{name}: {channels} channels x {window} frames" for name, (channels, _) in streams.items()]
    features = [features for _, features in streams.values()]
    nets = [f"I3D with its own weights: {size} numbers" for size in features]
    flow(ax, [inputs, nets, f"side by side: {sum(features)} numbers"], "")
    return figure


def draw_asformer(stage_parameters: Sequence[int], num_classes: int, num_maps: int) -> Figure:
    """Draw Figure 5: a block of the encoder, the whole, and a block of a decoder."""
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH + 1, 4.2))
    for ax, title, attention, scale in (
        (axes[0], "a) encoder block", "windowed self-attention", "+"),
        (axes[2], "c) decoder block", "windowed cross-attention\nq, k: own; v: previous stage", r"$+(\times\alpha)$"),
    ):
        rows = ["input x", "dilated convolution, 3 frames\nReLU", "instance norm", attention]
        flow(ax, [*rows, "1x1 convolution\ndropout", "output"], title, [(1, 3, 1, scale), (0, 5, -1, "+")])
    stages = ["encoder", *(f"decoder {number}" for number in range(1, len(stage_parameters)))]
    texts = [f"{name}\n{count:,} parameters" for name, count in zip(stages, stage_parameters, strict=True)]
    title = f"b) the stages: each passes on softmax\nof logits ({num_classes} x T) and maps ({num_maps} x T)"
    flow(axes[1], ["features x T", *texts, f"output: {num_classes} x T"], title)
    return figure


def visible_keys(mask: Mask, frames: int) -> torch.Tensor:
    """Mark the frames that each frame attends to under one layer's mask: (T, T) booleans, row t for frame t."""
    if mask.bias is None:
        return torch.eye(frames, dtype=torch.bool)
    blocks, _, width = mask.bias.shape
    shown = (mask.bias > -1).expand(blocks, mask.block, width)
    matrix = torch.zeros(blocks * mask.block, (blocks + 1) * mask.block, dtype=torch.bool)
    for number in range(blocks):
        start = number * mask.block
        matrix[start : start + mask.block, start : start + width] = shown[number]
    half = mask.block // 2
    return matrix[:frames, half : half + frames]


def draw_visible(matrices: dict[str, torch.Tensor], block: int) -> Figure:
    """Draw which frames a frame attends to, one panel per kind of mask."""
    figure, axes = plt.subplots(1, len(matrices), figsize=(WIDTH, 3.4), squeeze=False)
    for ax, (name, visible) in zip(axes[0], matrices.items(), strict=True):
        ax.imshow(visible, cmap="Blues", vmin=0, vmax=1.4, interpolation="nearest")
        ax.set(xlabel="key: frame", ylabel="query: frame", title=f"{name}, blocks of {block} frames")
        ax.grid(visible=False)
    return figure
