"""Architecture figures (thesis Figures 3-5), drawn from the real modules: shapes, parameters, windows."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import nn

from lib.asformer.model import Mask
from lib.notebook.plots import WIDTH

BOX = {"plain": "#e8eef4", "attention": "#fbe3c8", "convolution": "#d5ebe2", "output": "#efdbe6"}


def box(
    ax: Axes, x: float, y: float, width: float, height: float, text: str, kind: str = "plain", size: float = 8
) -> None:
    """A labelled box with its lower left corner at (x, y), in the axes' data units."""
    style = "round,pad=0,rounding_size=0.06"
    ax.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=style, fc=BOX[kind], ec="#444444", lw=0.8))
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=size)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], bend: float = 0.0) -> None:
    """An arrow; `bend`: its curvature, to the right where positive."""
    look: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 9, "lw": 0.9, "color": "#444444", "clip_on": False}
    ax.add_patch(FancyArrowPatch(start, end, connectionstyle=f"arc3,rad={bend}", **look))


def blank(ax: Axes, width: float, height: float, title: str = "") -> Axes:
    """Axes as a sheet of width x height units."""
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    ax.set_title(title, fontsize=9, loc="left")
    return ax


def trace_blocks(blocks: Sequence[nn.Module], clip: torch.Tensor) -> pd.DataFrame:
    """Run a clip (1, C, T, H, W) through blocks in order: columns block, output (C x T x H x W), parameters."""
    rows = []
    with torch.inference_mode():
        for block in blocks:
            clip = block(clip)
            rows.append(
                (type(block).__name__, "x".join(map(str, clip.shape[1:])), sum(p.numel() for p in block.parameters()))
            )
    return pd.DataFrame(rows, columns=["block", "output", "parameters"])


def column(
    ax: Axes, texts: Sequence[str], kinds: Sequence[str], x: float, width: float, bottom: float, step: float
) -> float:
    """Boxes from bottom to top, joined by arrows; returns the height of the last box's top."""
    for place, (text, kind) in enumerate(zip(texts, kinds, strict=True)):
        y = bottom + place * step
        box(ax, x, y, width, step * 0.62, text, kind)
        if place:
            arrow(ax, (x + width / 2, y - step * 0.38), (x + width / 2, y))
    return bottom + (len(texts) - 1) * step + step * 0.62


def draw_i3d(blocks: pd.DataFrame, clip: Sequence[int], block: Any) -> Figure:
    """Figure 3: the trunk with its shapes, and one inflated block.

    Args:
        blocks: as returned by `trace_blocks`.
        clip: shape of the input, (1, C, T, H, W).
        block: a residual block of the net at full size.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 4.2))
    texts = [f"{row.block}\n{row.output}, {row.parameters:,} parameters" for row in blocks.itertuples()]
    kinds = ["plain", *["convolution"] * len(texts)]
    blank(left, 4, 7.4, "a) the trunk here: channels x time x height x width")
    column(left, ["x".join(map(str, clip[1:])), *texts], kinds, 0.4, 3.2, 0.1, 1.05)
    _draw_bottleneck(right, block)
    return figure


def _draw_bottleneck(ax: Axes, block: Any) -> None:
    """An inflated residual block (Figure 3b), with the kernels of the module itself."""
    branch = block.branch2
    texts, kinds = ["input"], ["plain"]
    for conv in (branch.conv_a, branch.conv_b, branch.conv_c):
        kernel = "x".join(map(str, conv.kernel_size))
        texts.append(f"convolution {kernel}\n{conv.in_channels} -> {conv.out_channels}")
        kinds.append("convolution")
    blank(ax, 4, 6.2, "b) an inflated block: time x height x width")
    column(ax, [*texts, "output"], [*kinds, "output"], 0.6, 2.6, 0.2, 1.2)
    arrow(ax, (3.2, 0.55), (3.2, 5.3), bend=0.3)
    ax.text(3.3, 5.35, "+", fontsize=10)


def draw_two_streams(streams: dict[str, tuple[int, int]], window: int) -> Figure:
    """Figure 4. `streams`: name -> (input channels, feature dimension)."""
    figure, ax = plt.subplots(figsize=(WIDTH, 2.3))
    blank(ax, 10, 3)
    for row, (name, (channels, features)) in enumerate(streams.items()):
        y = 1.9 - 1.6 * row
        box(ax, 0.1, y, 2.4, 0.9, f"{name}\n{channels} channels x {window} frames")
        box(ax, 3.3, y, 2.0, 0.9, "I3D\nown weights", "convolution")
        arrow(ax, (2.5, y + 0.45), (3.3, y + 0.45))
        box(ax, 6.0, y, 1.3, 0.9, f"{features}", "plain")
        arrow(ax, (5.3, y + 0.45), (6.0, y + 0.45))
        arrow(ax, (7.3, y + 0.45), (8.0, 1.6))
    total = sum(features for _, features in streams.values())
    box(ax, 8.0, 1.15, 1.8, 0.9, f"side by side\n{total}", "output")
    return figure


def draw_asformer(stage_parameters: Sequence[int], num_classes: int, num_maps: int) -> Figure:
    """Figure 5: a block of the encoder, the whole, and a block of a decoder.

    Args:
        stage_parameters: parameters of the encoder and of each decoder.
    """
    widths = [1, 1.15, 1]
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(WIDTH + 1, 4.2), width_ratios=widths)
    _draw_block(left, decoder=False)
    _draw_stages(middle, stage_parameters, num_classes, num_maps)
    _draw_block(right, decoder=True)
    return figure


def _draw_block(ax: Axes, decoder: bool) -> None:
    """One block of the encoder (Figure 5a) or of a decoder (5c), in the order in which the module computes."""
    attention = "windowed cross-attention\nq, k: own; v: previous stage" if decoder else "windowed self-attention"
    texts = ["input x", "dilated convolution, 3 frames\n+ ReLU", "instance norm", attention]
    texts += ["1x1 convolution, dropout", "output"]
    kinds = ["plain", "convolution", "plain", "attention", "convolution", "output"]
    blank(ax, 4, 7, "c) decoder block" if decoder else "a) encoder block")
    column(ax, texts, kinds, 0.6, 2.7, 0.2, 1.15)
    arrow(ax, (3.3, 1.7), (3.3, 4.5), bend=0.25)
    ax.text(3.4, 4.5, r"$+\;(\times\,\alpha)$" if decoder else "+", fontsize=8, ha="left", va="bottom")
    arrow(ax, (0.6, 0.5), (0.6, 5.7), bend=-0.2)
    ax.text(0.35, 5.7, "+", fontsize=9)


def _draw_stages(ax: Axes, stage_parameters: Sequence[int], num_classes: int, num_maps: int) -> None:
    """The encoder, then decoders that refine its predictions (Figure 5b)."""
    step = 6.6 / len(stage_parameters)
    blank(ax, 4, 7, "b) the stages")
    for place, parameters in enumerate(stage_parameters):
        y = 0.3 + place * step
        name = "encoder" if place == 0 else f"decoder {place}"
        box(ax, 0.3, y, 2.3, step * 0.55, f"{name}\n{parameters:,} parameters", "attention" if place else "convolution")
        arrow(ax, (2.6, y + step * 0.28), (3.1, y + step * 0.28))
        ax.text(3.15, y + step * 0.28, f"logits\n{num_classes} x T", fontsize=8, va="center")
        if place:
            arrow(ax, (1.1, y - step * 0.45), (1.1, y))
            ax.text(1.0, y - step * 0.23, "softmax", fontsize=8, ha="right", va="center")
            arrow(ax, (1.9, y - step * 0.45), (1.9, y))
            ax.text(2.0, y - step * 0.23, f"{num_maps} x T", fontsize=8, va="center")


def visible_keys(mask: Mask, frames: int) -> torch.Tensor:
    """(T, T) booleans: row t marks the frames that frame t attends to under one layer's mask."""
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
    """Which frames a frame attends to, one panel per kind of mask.

    Args:
        matrices: kind -> as returned by `visible_keys`.
        block: length of a block, in frames.
    """
    figure, axes = plt.subplots(1, len(matrices), figsize=(WIDTH, 3.4), squeeze=False)
    for ax, (name, visible) in zip(axes[0], matrices.items(), strict=True):
        ax.imshow(visible, cmap="Blues", vmin=0, vmax=1.4, interpolation="nearest")
        ax.set(xlabel="key: frame", ylabel="query: frame", title=f"{name}, blocks of {block} frames")
        ax.grid(visible=False)
    return figure
