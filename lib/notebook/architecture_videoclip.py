"""Figures 13 to 15 (S3D, MIL-NCE, VideoCLIP) and the positive pairs, drawn from the nets, scores and sampler.

Shapes, kernels and counts are read from the modules by hooks, not typed.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from torch import nn

from lib.backbones.s3d import S3D, Inception
from lib.data.packs import Track
from lib.notebook.architecture import BOX, arrow, blank, box, column
from lib.notebook.plots import SPLIT_COLOURS, WIDTH
from lib.pretraining.pairs import Pair
from lib.videoclip.model import VideoCLIP


def count_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def trace_s3d(net: S3D, full: S3D, size: Sequence[int]) -> pd.DataFrame:
    """Run a black clip (time, height, width) through the net and record the shapes between its blocks.

    Args:
        net: whose shapes are recorded; what happens between two blocks (pooling) has a row of its own.
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


def draw_s3d(blocks: pd.DataFrame, block: Inception, name: str) -> Figure:
    """Figure 13: the net as `trace_s3d` found it, and one inception block.

    Args:
        blocks: as returned by `trace_s3d`.
        block, name: of the full-size net.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 6.2), width_ratios=[1.2, 1])
    _draw_trunk(left, blocks)
    _draw_inception(right, block, name)
    return figure


def _draw_trunk(ax: Axes, blocks: pd.DataFrame) -> None:
    """Figure 13a: the blocks from bottom to top, the counts beside them."""
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


def _draw_inception(ax: Axes, block: Inception, name: str) -> None:
    """Figure 13b: the four branches with the module's kernels and channels, and what a gate computes."""
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


def _boxes(module: Any) -> list[tuple[str, str]]:
    """Text and kind of the boxes that draw one part of a branch."""
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


OWN, CLIP, CAPTIONS = SPLIT_COLOURS[5], SPLIT_COLOURS[1], SPLIT_COLOURS[2]
EDGE = "#444444"
SHOWN = 5  # pairs in the matrix of Figure 15


def draw_mil_nce(net: S3D, size: Sequence[int], words: int, scores: np.ndarray) -> Figure:
    """Figure 14: both sides, their scores with each clip's own candidates outlined, and one clip's part of equation 4.

    Args:
        size: frames, height, width of a clip.
        words: largest number of words read from a caption.
        scores: (B, B·K) of the net; columns i·K … i·K + K - 1 are the candidates of clip i.
    """
    figure, ax = plt.subplots(figsize=(WIDTH, 4.4))
    clips, candidates = len(scores), scores.shape[1] // len(scores)
    text: Any = net.text_module
    dim, hidden = text.word_embd.embedding_dim, text.fc1.out_features
    out = net.fc.out_features
    video = count_parameters(net) - count_parameters(text)
    rows = {
        4.9: [
            ("clip x\n" + "x".join(map(str, size)), "plain"),
            (f"S3D: {video / 1e6:.2f} M parameters,\nmean of its maps: {net.feature_dim}", "convolution"),
            (f"linear\n{net.feature_dim} -> {out}", "convolution"),
            (f"f(x)\n{out}", "output"),
        ],
        3.6: [
            (f"{candidates} captions y of\nup to {words} words", "plain"),
            (f"word vectors\n{dim}, fixed", "plain"),
            (f"linear, ReLU\n{dim} -> {hidden}", "convolution"),
            ("maximum over\nthe words", "attention"),
            (f"linear\n{hidden} -> {out}", "convolution"),
            (f"g(y)\n{out}", "output"),
        ],
    }
    blank(ax, 10.3, 5.8)
    for y, boxes in rows.items():
        for place, (label, kind) in enumerate(boxes):
            wide = len(boxes) == 4 and place == 1
            slot = place + 2 if len(boxes) == 4 and place > 1 else place
            box(ax, 0.05 + 1.68 * slot, y, 4.78 if wide else 1.42, 0.75, label, kind, 7.5)
            if place:
                arrow(ax, (1.68 * slot - 0.21, y + 0.375), (0.05 + 1.68 * slot, y + 0.375))
    _draw_scores(ax, scores, (3.95, 10.2, 0.45, 2.85))
    arrow(ax, (9.16, 3.6), (9.16, 2.9))
    arrow(ax, (9.87, 5.27), (9.87, 2.9), bend=-0.18)
    ax.text(7.075, 3.12, "scores f(x) · g(y)", fontsize=8, ha="center", va="center")
    text = f"""Equation 4 for clip {clips // 3 + 1}, as in the
code. Numerator: its outlined scores.
Denominator: all within the dashed
lines, the clip's row (all captions)
and its captions' columns (all clips);
its own scores, in both, count twice.
White {scores.min():.2f}, darkest {scores.max():.2f}."""
    ax.text(0.05, 2.85, text, fontsize=7.5, va="top", linespacing=1.4)
    return figure


def _draw_scores(ax: Axes, scores: np.ndarray, extent: tuple[float, float, float, float]) -> None:
    """The scores (B, B·K) as an image; outlined: own candidates; dashed: the denominator of one clip."""
    (left, right, bottom, top), clips, limits = extent, len(scores), (ax.get_xlim(), ax.get_ylim())
    ax.imshow(scores, cmap="Blues", extent=extent, aspect="auto", interpolation="nearest")
    ax.set(xlim=limits[0], ylim=limits[1])
    wide, high, mine = (right - left) / clips, (top - bottom) / clips, clips // 3
    for clip in range(clips):
        corner = (left + clip * wide, top - (clip + 1) * high)
        ax.add_patch(Rectangle(corner, wide, high, fill=False, ec=OWN, lw=1.8))
    dashed: dict[str, Any] = {"fill": False, "ec": "black", "lw": 1.2, "ls": (0, (3, 2))}
    ax.add_patch(Rectangle((left, top - (mine + 1) * high), right - left, high, **dashed))
    ax.add_patch(Rectangle((left + mine * wide, bottom), wide, top - bottom, **dashed))
    ax.text(left - 0.1, (top + bottom) / 2, f"{clips} clips", fontsize=7.5, rotation=90, ha="right", va="center")
    captions = f"{scores.shape[1] // clips} captions of each clip"
    ax.text((left + right) / 2, bottom - 0.12, captions, fontsize=7.5, ha="center", va="top")


def draw_videoclip(model: VideoCLIP, longest_text: int) -> Figure:
    """Figure 15: both towers, from tokens with positions to the mean; above, the dot products of some pairs.

    Args:
        longest_text: largest number of word pieces kept from a clip's captions.
    """
    figure, ax = plt.subplots(figsize=(WIDTH, 5.2))
    seconds = model.max_video_len
    mlp: Any = model.mlp
    width = mlp.linear2.out_features
    vocabulary = model.text.config.vocab_size
    blank(ax, 10, 8)
    video_tokens = ["[CLS]", "$f_1$", "$f_2$", "…", "$f_T$", "[SEP]"]
    text_tokens = ["[CLS]", "$w_1$", "$w_2$", "…", "$w_L$", "[SEP]"]
    video_positions = ["0", "1", "2", "…", "T", f"{seconds + 1}"]
    text_positions = ["0", "1", "2", "…", "L", "L+1"]
    middle = f"MLP {model.input_dim} -> {width} -> {width}\n{count_parameters(mlp) / 1e6:.2f} M parameters"
    words = f"the tower's word table, {vocabulary:,} x {width}"
    _draw_tower(ax, 0.75, "video", model.video, video_tokens, video_positions, (1, 5, middle))
    _draw_tower(ax, 5.6, "text", model.text, text_tokens, text_positions, (0, 6, words))
    ax.text(2.85, 0.05, f"T: 1 to {seconds} seconds; marks from the tower's own word table", fontsize=7.5, ha="center")
    ax.text(7.7, 0.05, f"L: up to {longest_text} word pieces of the captions", fontsize=7.5, ha="center")
    side, left, bottom = 0.3, 4.475, 6.3
    for row, place in np.ndindex(SHOWN, SHOWN):
        corner = (left + place * side, bottom + (SHOWN - 1 - row) * side)
        own = row == place
        look: dict[str, Any] = {"fc": BOX["output" if own else "plain"], "ec": OWN if own else "w", "lw": 1 + 0.6 * own}
        ax.add_patch(Rectangle(corner, side, side, zorder=1 + own, **look))
    right = left + SHOWN * side
    arrow(ax, (2.85, 5.9), (left - 0.1, 7.0), bend=-0.25)
    arrow(ax, (7.7, 5.9), (right + 0.1, 7.0), bend=0.25)
    rows, columns = (
        "one row per clip: equation 5's\nfirst term finds its text",
        "one column per text: its\nsecond term finds its clip",
    )
    ax.text(left - 0.6, 7.6, rows, fontsize=7.5, ha="right", va="center")
    ax.text(right + 0.6, 7.6, columns, fontsize=7.5, va="center")
    ax.text((left + right) / 2, 6.2, "$z_v \\cdot z_t$", fontsize=8.5, ha="center", va="top")
    return figure


def _draw_tower(
    ax: Axes,
    x: float,
    name: str,
    tower: Any,
    tokens: Sequence[str],
    positions: Sequence[str],
    below: tuple[int, int, str],
) -> None:
    """A tower above its tokens. `below`: first and last token of the box between, and its text."""
    cell, config = 0.7, tower.config
    first, last, text = below
    box(ax, x + first * cell, 1.75, (last - first) * cell - 0.1, 0.75, text, "convolution", 7.5)
    heads, millions = config.num_attention_heads, count_parameters(tower) / 1e6
    size = f"hidden {config.hidden_size}, {heads} heads, {millions:.2f} M parameters"
    layers = f"{config.num_hidden_layers} layers" if config.num_hidden_layers > 1 else "1 layer"
    box(ax, x, 3.0, 6 * cell - 0.1, 0.8, f"{name} tower: BERT, {layers}\n{size}", "attention", 7.5)
    ax.text(x - 0.08, 0.62, "position", fontsize=7, ha="right", va="center")
    for place, (token, position) in enumerate(zip(tokens, positions, strict=True)):
        left = x + place * cell
        centre = left + cell / 2 - 0.05
        box(ax, left, 0.8, cell - 0.1, 0.5, token, "plain", 7.5)
        ax.text(centre, 0.62, position, fontsize=7.5, ha="center", va="center")
        inside = first <= place < last
        arrow(ax, (centre, 1.3), (centre, 1.75 if inside else 3.0))
        if inside:
            arrow(ax, (centre, 2.5), (centre, 3.0))
        arrow(ax, (centre, 3.8), (centre, 4.2))
        box(ax, left, 4.2, cell - 0.1, 0.45, "", "output" if place else "plain")
        if place:
            arrow(ax, (centre, 4.65), (centre, 5.3))
        else:
            ax.plot([left, left + cell - 0.1], [4.2, 4.65], color=EDGE, lw=0.8)
    z = f"$z_{name[0]}$: mean without [CLS], with [SEP]"
    box(ax, x + cell, 5.3, 5 * cell - 0.1, 0.6, z, "output", 8)


def draw_pairs(track: Track, pairs: Sequence[Pair], seconds: int) -> Figure:
    """A video's captions on its time axis and below them sampled pairs: captions, clip, and the second drawn.

    Args:
        track: captions of the video.
        pairs: as sampled by lib/pretraining/pairs.py, from top to bottom.
        seconds: length of the video.
    """
    figure, ax = plt.subplots(figsize=(WIDTH, 3.4))
    for number, (start, end) in enumerate(zip(track.start, track.end, strict=True)):
        shade = "#999999" if number % 2 else "#cccccc"
        ax.broken_barh([(start, end - start)], (-0.3, 0.6), facecolors=shade, edgecolor="white", lw=0.6)
    for row, pair in enumerate(pairs, 1):
        opens, closes = float(track.start[pair.first]), float(track.end[pair.last - 1])
        ax.broken_barh([(opens, closes - opens)], (-row + 0.02, 0.34), facecolors=CAPTIONS)
        ax.broken_barh([(pair.start, pair.end - pair.start)], (-row - 0.36, 0.34), facecolors=CLIP)
        ax.plot(pair.centre, -row, "D", color="black", ms=4.5, mec="white", mew=0.8, clip_on=False, zorder=3)
    ax.set_yticks([0, *range(-1, -len(pairs) - 1, -1)], ["captions", *(f"pair {n + 1}" for n in range(len(pairs)))])
    ax.set(xlabel="seconds", xlim=(0, seconds), ylim=(-len(pairs) - 0.6, 0.6))
    ax.grid(axis="y", visible=False)
    drawn = Line2D([], [], ls="", marker="D", color="black", ms=4.5, label="the second that was drawn")
    handles = [Patch(color=CAPTIONS, label="run of captions"), Patch(color=CLIP, label="clip"), drawn]
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3, fontsize=8, frameon=False)
    return figure
