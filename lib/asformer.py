"""ASFormer (thesis 2.2.2; Yi, Wen, Jiang: ASFormer, Transformer for Action Segmentation, BMVC 2021, arXiv 2110.08568).

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

from lib.sequences import Dilated, Pointwise, WindowAttention, add_dropped, side_by_side

Band = Literal["published", "banded"]


@dataclass(frozen=True)
class Mask:
    """What the queries of a block see of their window, as a term added to the attention logits.

    Attributes:
        block: length of a block of queries = dilation of the layer.
        bias: (blocks, 1 or block, 2 * block); None where a block is one frame, which sees itself only.
        hide_last: the value of a window's last frame is set to zero.
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
    own = key == query + block // 2  # so that the rows which fill up the last block see something
    visible = visible & (key >= query) & (key < query + block) | own
    return Mask(block, torch.zeros(visible.shape).to(like).masked_fill(~visible, -math.inf), False)


def window_attention(query: Tensor, key: Tensor, value: Tensor, mask: Mask) -> Tensor:
    """Attention of each block of frames to its window (equation 2).

    query, key, value: (T, C/2) -> (T, C/2)
    """
    if mask.bias is None:
        return value
    return WindowAttention.apply(query, key, value, mask.bias, mask.block, mask.hide_last)


class SlidingAttention(nn.Module):
    """Self-attention; in a decoder the values come from the stage before."""

    def __init__(self, maps: int):
        super().__init__()
        self.query_conv = Pointwise(maps, maps // 2)
        self.key_conv = Pointwise(maps, maps // 2)
        self.value_conv = Pointwise(maps, maps // 2)
        self.conv_out = Pointwise(maps // 2, maps)

    def forward(self, x: Tensor, previous: Tensor | None, mask: Mask) -> Tensor:
        """x, previous: (T, C) -> (T, C)"""
        if previous is None:
            query, key, value = side_by_side(x, self.query_conv, self.key_conv, self.value_conv)
        else:
            query, key = side_by_side(x, self.query_conv, self.key_conv)
            value = self.value_conv(previous)
        return self.conv_out(window_attention(query, key, value, mask).relu())


class Layer(nn.Module):
    """Dilated convolution, attention, and a residual with dropout (a block of thesis Figure 5)."""

    def __init__(self, maps: int, dilation: int):
        super().__init__()
        self.feed_forward = nn.ModuleDict({"layer": nn.Sequential(Dilated(maps, dilation), nn.ReLU(inplace=True))})
        self.att_layer = SlidingAttention(maps)
        self.conv_1x1 = Pointwise(maps, maps)

    def forward(self, x: Tensor, previous: Tensor | None, alpha: float, mask: Mask) -> Tensor:
        """x, previous: (T, C) -> (T, C)"""
        hidden = self.feed_forward["layer"](x)
        normed = F.batch_norm(hidden, None, None, training=True)  # over one video: instance normalization
        hidden = torch.add(hidden, self.att_layer(normed, previous, mask), alpha=alpha)
        return add_dropped(x, self.conv_1x1(hidden), self.training)


class Stage(nn.Module):
    """The encoder or a decoder."""

    def __init__(self, inputs: int, classes: int, layers: int, maps: int):
        super().__init__()
        self.conv_1x1 = Pointwise(inputs, maps)
        self.layers = nn.ModuleList(Layer(maps, 2**i) for i in range(layers))
        self.conv_out = Pointwise(maps, classes)

    def forward(self, x: Tensor, previous: Tensor | None, alpha: float, masks: list[Mask]) -> tuple[Tensor, Tensor]:
        """x: (T, features or classes), previous: (T, C) -> class scores (T, K), feature (T, C)"""
        x = self.conv_1x1(x)
        for layer, mask in zip(self.layers, masks, strict=True):
            x = layer(x, previous, alpha, mask)
        return self.conv_out(x), x


class MaskedPointwise(Pointwise):
    """A 1x1 convolution that in training hides a share of its input channels from a whole video."""

    def __init__(self, inputs: int, outputs: int, share: float):
        super().__init__(inputs, outputs)
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        shown = F.dropout(x.new_ones(x.shape[1]), self.share, self.training)
        return F.linear(x, self.weight[:, :, 0] * shown, self.bias)  # masking weights spares a copy of the features


class ASFormer(nn.Module):
    """Frame-wise class scores of a video from its features.

    Args:
        input_dim: D, channels of the features.
        num_classes: K.
        num_layers: layers a stage; the last sees 2**num_layers frames. The code has 10, thesis and paper say 9.
        num_maps: C, channels inside, even.
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
        self.encoder.conv_1x1 = MaskedPointwise(input_dim, num_maps, channel_mask)
        self.decoders = nn.ModuleList(
            Stage(num_classes, num_classes, num_layers, num_maps) for _ in range(num_decoders)
        )
        self.num_layers = num_layers
        self.attention_band: Band = attention_band

    def forward(self, x: Tensor) -> Tensor:
        """x: (1, D, T) features -> (1 + num_decoders, 1, K, T) logits, the encoder's first, the best last."""
        if x.ndim != 3 or len(x) != 1:
            raise ValueError(f"ASFormer takes one video at a time, (1, D, T); got {tuple(x.shape)}")
        masks = [attention_mask(x.shape[2], 2**i, self.attention_band, x) for i in range(self.num_layers)]
        scores, feature = self.encoder(x[0].T, None, 1.0, masks)
        outputs = [scores]
        for number, decoder in enumerate(self.decoders):
            # The feature is that of the stage before, also where this is a decoder (paper: always the encoder's).
            scores, feature = decoder(scores.softmax(dim=1), feature, math.exp(-3 * number), masks)
            outputs.append(scores)
        return torch.stack(outputs).transpose(1, 2)[:, None]
