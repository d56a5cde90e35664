"""Figures 13 to 15 (S3D, MIL-NCE, VideoCLIP) and the positive pairs, drawn from the nets, scores and sampler.

Shapes, kernels and counts are read from the modules by hooks, not typed.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from torch import nn

from lib.backbones.s3d import S3D, Inception
from lib.data.packs import Track
from lib.notebook.architecture import count_parameters, flow, sizes
from lib.notebook.plots import SPLIT_COLOURS, WIDTH
from lib.pretraining.pairs import Pair
from lib.videoclip.model import VideoCLIP


def trace_s3d(net: S3D, full: S3D, size: Sequence[int]) -> pd.DataFrame:
    """Run a black clip (time, height, width) through the net and record the shapes between its blocks.

    `full`: the full-size net, for its counts; it may be on the device "meta".

    Returns columns block, kernels, output (C x T x H x W), parameters, full-size parameters; what happens between two
    blocks (pooling) has a row of its own.
    """
    clip = torch.zeros(1, 3, *size)
    rows: list[tuple[str, str, str, int, int]] = [("clip", "", sizes(clip.shape[1:]), 0, 0)]

    def hook(module: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        name, shape = names[module], inputs[0].shape
        if sizes(shape[1:]) != rows[-1][2]:
            between = "space to depth 2x2x2" if len(rows) == 1 else "mean" if len(shape) == 2 else "max pool"
            rows.append((between, "", sizes(shape[1:]), 0, 0))
        counts = count_parameters(module), count_parameters(full.get_submodule(name))
        kernels = ", ".join(sizes(one.kernel_size) for one in convolutions(module))
        rows.append((name, kernels, sizes(output.shape[1:]), *counts))

    names = {module: name for name, module in net.named_children() if name != "text_module"}
    handles = [module.register_forward_hook(hook) for module in names]
    with torch.inference_mode():
        net.eval()(clip)
    for handle in handles:
        handle.remove()
    return pd.DataFrame(rows, columns=["block", "kernels", "output", "parameters", "full-size parameters"])


def convolutions(module: nn.Module) -> list[nn.Conv3d]:
    """A block's own convolutions, in order; not those of blocks within it."""
    return [part for part in module.children() if isinstance(part, nn.Conv3d)]


def draw_s3d(blocks: pd.DataFrame, block: Inception, name: str) -> Figure:
    """Draw Figure 13: the net as `trace_s3d` found it, and one inception block."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 0.42 * len(blocks)), width_ratios=[1, 1.2])
    rows = [
        f"{row.block} {row.kernels}".strip() + f": {row.output}" + f"; {row.parameters:,}" * (row.parameters > 0)
        for row in blocks.itertuples()
    ]
    flow(left, rows, "a) the video side: C x T x H x W; parameters")
    own = [
        [*_boxes(block.conv_b0), None, None, _gate(block.gating_b0)],
        [*_boxes(block.conv_b1_a), *_boxes(block.conv_b1_b), _gate(block.gating_b1)],
        [*_boxes(block.conv_b2_a), *_boxes(block.conv_b2_b), _gate(block.gating_b2)],
        ["max pool\n3x3x3", *_boxes(block.conv_b3_b), None, _gate(block.gating_b3)],
    ]
    ends = f"input: {block.conv_b0.conv1.in_channels} channels", f"side by side: {block.output_dim} channels"
    gate = "gate: maps times sigmoid(linear(their mean over T, H, W))"
    flow(right, [ends[0], *zip(*own, strict=True), ends[1]], f"b) an inception block: {name}\n{gate}")
    return figure


def _boxes(module: nn.Module) -> list[str]:
    return [f"{sizes(one.kernel_size)}\n{one.in_channels} -> {one.out_channels}" for one in convolutions(module)]


def _gate(module: Any) -> str:
    return f"gate\n{module.fc.in_features}"


OWN, CLIP, CAPTIONS = SPLIT_COLOURS[5], SPLIT_COLOURS[1], SPLIT_COLOURS[2]


def draw_mil_nce(net: S3D, size: Sequence[int], words: int, scores: np.ndarray) -> Figure:
    """Draw Figure 14: both sides, their scores with each clip's candidates outlined, one clip's part of equation 4.

    `scores`: of the net, (B, B·K); columns i·K … i·K + K - 1 are the candidates of clip i.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 4.6), width_ratios=[1, 1.1])
    clips, candidates = len(scores), scores.shape[1] // len(scores)
    text: Any = net.text_module
    out, hidden, video = net.fc.out_features, text.fc1.out_features, count_parameters(net) - count_parameters(text)
    sides = [
        [f"clip x\n{sizes(size)}", f"{candidates} captions y of\nup to {words} words"],
        [None, f"word vectors, fixed\n{text.word_embd.embedding_dim}"],
        [f"S3D: {video / 1e6:.2f} M parameters\nmean of its maps: {net.feature_dim}", f"linear, ReLU\n{hidden}"],
        [None, "maximum over\nthe words"],
        [f"linear\n{net.feature_dim} -> {out}", f"linear\n{hidden} -> {out}"],
        [f"f(x)\n{out}", f"g(y)\n{out}"],
    ]
    flow(left, [*sides, "scores f(x) · g(y)"], "a) both sides")
    right.imshow(scores, cmap="Blues", aspect="auto", interpolation="nearest", extent=(0, scores.shape[1], clips, 0))
    for clip in range(clips):
        right.add_patch(Rectangle((clip * candidates, clip), candidates, 1, fill=False, ec=OWN, lw=1.8))
    mine, dashed = clips // 3, {"fill": False, "ec": "black", "lw": 1.2, "ls": (0, (3, 2))}
    right.add_patch(Rectangle((0, mine), scores.shape[1], 1, **dashed))
    right.add_patch(Rectangle((mine * candidates, 0), candidates, clips, **dashed))
    right.set(xticks=[], yticks=[], ylabel=f"{clips} clips")
    right.set_title("b) scores, and equation 4 for one clip", fontsize=9, loc="left")
    explained = f"""{candidates} captions of each clip. Numerator of clip {mine + 1}: its outlined scores.
Denominator: all within the dashed lines, the clip's row (all captions)
and its captions' columns (all clips); its own scores count twice.
White {scores.min():.2f}, darkest {scores.max():.2f}."""
    right.set_xlabel(explained, fontsize=8, loc="left")
    return figure


def draw_videoclip(model: VideoCLIP, longest_text: int) -> Figure:
    """Draw Figure 15: both towers, from tokens with positions to the mean, and the dot products of all pairs."""
    figure, ax = plt.subplots(figsize=(WIDTH, 4.8))
    seconds, mlp = model.max_video_len, model.mlp
    width: Any = mlp.linear2.out_features
    video = [
        f"a feature per second: $f_1$ … $f_T$\nT: 1 to {seconds}",
        f"MLP {model.input_dim} -> {width} -> {width}\n{count_parameters(mlp) / 1e6:.2f} M parameters",
        f"[CLS], $f_1$ … $f_T$, [SEP] (marks from the tower's word table)\nat positions 0, 1 … T, {seconds + 1}",
        _tower("video", model.video),
        "$z_v$: mean without [CLS], with [SEP]",
    ]
    text = [
        f"word pieces: $w_1$ … $w_L$\nL: up to {longest_text}",
        f"the tower's word table\n{model.text.config.vocab_size:,} x {width}",
        "[CLS], $w_1$ … $w_L$, [SEP]\nat positions 0, 1 … L, L + 1",
        _tower("text", model.text),
        "$z_t$: mean without [CLS], with [SEP]",
    ]
    scores = "scores $z_v \\cdot z_t$ of all pairs; in equation 5 a clip's row finds its text, a text's column its clip"
    flow(ax, [*zip(video, text, strict=True), scores], "")
    return figure


def _tower(name: str, tower: Any) -> str:
    config, layers = tower.config, tower.config.num_hidden_layers
    return (
        f"{name} tower: BERT, {layers} layer{'s' * (layers > 1)}, {config.num_attention_heads} heads\n"
        f"hidden {config.hidden_size}, {count_parameters(tower) / 1e6:.2f} M parameters"
    )


def draw_pairs(track: Track, pairs: Sequence[Pair], seconds: int) -> Figure:
    """Draw a video's captions on its time axis and, below, sampled pairs: captions, clip, and the drawn second."""
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
