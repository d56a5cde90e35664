"""ASFormer (thesis 2.2.2; Yi, Wen, Jiang: "ASFormer: Transformer for Action Segmentation", BMVC 2021, arXiv 2110.08568).

An encoder and `num_decoders` decoders of `num_layers` layers. Layer i looks at frames 2**i apart (dilated convolution)
and around (attention in windows of 2 * 2**i frames). Every stage gives class scores a frame; a decoder refines those of
the stage before. Parameter names and behaviour are those of the published code, so that its checkpoints load and give
the same scores; where the code departs from the paper, a comment says so. Only the way of computing is our own: time
runs along rows, (T, C), and nothing walks over windows.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.sequences import Windows, add_dropped, dilated, pointwise

Band = Literal["published", "banded"]


@dataclass(frozen=True)
class Mask:
    """What the queries of a block see of their window, as a term added to the attention logits.

    Attributes:
        block: length of a block of queries = dilation of the layer.
        bias: (blocks, 1 or block, 2 * block); None where a block is one frame, which sees itself only.
    """

    block: int
    bias: Tensor | None
    hide_last: bool


def attention_mask(frames: int, block: int, band: Band, like: Tensor) -> Mask:
    """Mask of one layer for a video of `frames` frames.

    published: all queries of a block see the whole window but its last frame (the code's slip: the paper draws a band).
    A hidden key has the logit log(1e-6) and its weight is set to zero after the softmax, so that it takes a little
    of the others' weight; kept, because released weights were trained with it.
    banded: query i sees keys i ... i + block - 1 of the window, that is `block` frames around its own.
    """
    if block == 1:
        return Mask(block, None, False)
    blocks = -(-frames // block)
    key = torch.arange(2 * block, device=like.device)
    frame = torch.arange(blocks, device=like.device)[:, None, None] * block + key - block // 2
    visible = (frame >= 0) & (frame < frames)  # (blocks, 1, 2 * block)
    if band == "published":
        visible = visible & (key < 2 * block - 1)
        return Mask(block, torch.log(visible.to(like.dtype) + 1e-6), True)
    query = torch.arange(block, device=like.device)[:, None]
    own = key == query + block // 2  # keeps the rows that pad the last block from seeing nothing
    visible = visible & (key >= query) & (key < query + block) | own
    return Mask(block, torch.zeros(visible.shape).to(like).masked_fill(~visible, -math.inf), False)


def window_attention(query: Tensor, key: Tensor, value: Tensor, mask: Mask) -> Tensor:
    """Attention of each block of frames to its window (equation 2), for blocks of two frames and more.

    query, key, value: (T, C/2) -> (T, C/2)
    """
    frames, channels = query.shape
    query = F.pad(query, (0, 0, 0, -frames % mask.block)).view(-1, mask.block, channels)
    keys = Windows.apply(key, mask.block, False)
    values = Windows.apply(value, mask.block, mask.hide_last)
    logits = torch.baddbmm(mask.bias, query, keys.transpose(1, 2), alpha=channels**-0.5)  # (blocks, block, 2 * block)
    return (logits.softmax(dim=2) @ values).view(-1, channels)[:frames]


class Layer(nn.Module):
    """Dilated convolution, window attention, and a residual with dropout."""

    def __init__(self, maps: int, dilation: int):
        super().__init__()
        half = maps // 2
        self.feed_forward = nn.ModuleDict({"layer": nn.ModuleList([nn.Conv1d(maps, maps, 3, dilation=dilation)])})
        self.att_layer = nn.ModuleDict(
            {
                "query_conv": nn.Conv1d(maps, half, 1),
                "key_conv": nn.Conv1d(maps, half, 1),
                "value_conv": nn.Conv1d(maps, half, 1),
                "conv_out": nn.Conv1d(half, maps, 1),
            }
        )
        self.conv_1x1 = nn.Conv1d(maps, maps, 1)
        self.dilation = dilation

    def forward(self, x: Tensor, previous: Tensor | None, alpha: float, mask: Mask) -> Tensor:
        """x, previous: (T, C) -> (T, C). Queries and keys come from x, values from the previous stage (in a decoder)."""
        conv, att = self.feed_forward["layer"][0], self.att_layer
        hidden = dilated(x, conv).relu_()
        normed = F.batch_norm(hidden, None, None, training=True)  # of one video: instance normalization
        values = normed if previous is None else previous
        if mask.bias is None:  # a frame that sees itself only
            attended = pointwise(values, att["value_conv"])
        elif previous is None:
            projected = pointwise(normed, att["query_conv"], att["key_conv"], att["value_conv"])
            attended = window_attention(*projected.chunk(3, dim=1), mask)
        else:
            query, key = pointwise(normed, att["query_conv"], att["key_conv"]).chunk(2, dim=1)
            attended = window_attention(query, key, pointwise(previous, att["value_conv"]), mask)
        hidden = torch.add(hidden, pointwise(attended.relu(), att["conv_out"]), alpha=alpha)
        return add_dropped(x, pointwise(hidden, self.conv_1x1), self.training)


class Stage(nn.Module):
    """The encoder or a decoder: features or class probabilities in, class scores and C features a frame out."""

    def __init__(self, inputs: int, classes: int, layers: int, maps: int):
        super().__init__()
        self.conv_1x1 = nn.Conv1d(inputs, maps, 1)
        self.layers = nn.ModuleList(Layer(maps, 2**i) for i in range(layers))
        self.conv_out = nn.Conv1d(maps, classes, 1)

    def forward(
        self, x: Tensor, masks: list[Mask], previous: Tensor | None = None, alpha: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """x: (T, C), already through conv_1x1; previous: (T, C) -> scores (T, K), feature (T, C)"""
        for layer, mask in zip(self.layers, masks, strict=True):
            x = layer(x, previous, alpha, mask)
        return pointwise(x, self.conv_out), x


class ASFormer(nn.Module):
    """Frame-wise class scores of a video from its features.

    Args:
        input_dim: D, channels of the features.
        num_classes: K.
        num_layers: layers a stage; the last sees 2**num_layers frames. The code has 10, thesis and paper say 9.
        num_maps: C, channels inside.
        num_decoders: refinement stages.
        channel_mask: share of feature channels hidden from a whole video in training.
        attention_band: "published" as released weights need it; "banded" as the paper draws it.
    """

    def __init__(
        self,
        input_dim: int,
        num_classes: int,
        num_layers: int = 10,
        num_maps: int = 64,
        num_decoders: int = 3,
        channel_mask: float = 0.3,
        attention_band: Band = "published",
    ):
        super().__init__()
        self.encoder = Stage(input_dim, num_classes, num_layers, num_maps)
        self.decoders = nn.ModuleList(
            Stage(num_classes, num_classes, num_layers, num_maps) for _ in range(num_decoders)
        )
        self.channel_mask = channel_mask
        self.attention_band: Band = attention_band

    def forward(self, x: Tensor) -> Tensor:
        """x: (1, D, T) features -> (1 + num_decoders, 1, K, T) logits, the encoder's first, the best last."""
        if x.ndim != 3 or len(x) != 1:
            raise ValueError(f"ASFormer takes one video at a time, (1, D, T); got {tuple(x.shape)}")
        frames = x.shape[2]
        masks = [attention_mask(frames, layer.dilation, self.attention_band, x) for layer in self.encoder.layers]
        # Hiding channels of the input is hiding columns of the first weight: no masked copy of (D, T).
        conv = self.encoder.conv_1x1
        shown = F.dropout(x.new_ones(x.shape[1]), self.channel_mask, self.training)
        scores, feature = self.encoder(F.linear(x[0].T, conv.weight[:, :, 0] * shown, conv.bias), masks)
        outputs = [scores]
        for number, decoder in enumerate(self.decoders):
            # Values come from the feature of the stage before, also where that is a decoder (paper: always the encoder's).
            probabilities = scores.softmax(dim=1)
            scores, feature = decoder(
                pointwise(probabilities, decoder.conv_1x1), masks, feature, alpha=math.exp(-3 * number)
            )
            outputs.append(scores)
        return torch.stack(outputs).transpose(1, 2)[:, None]
