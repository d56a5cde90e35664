"""ASFormer (thesis 2.2.2; Yi, Wen, Jiang: ASFormer, Transformer for Action Segmentation, BMVC 2021, arXiv 2110.08568).

An encoder and `num_decoders` decoders of `num_layers` layers. Layer i combines a convolution of dilation 2**i with
attention in windows of 2 * 2**i frames. Every stage scores the classes of each frame; a decoder refines the scores of
the stage before. Parameter names and behaviour are those of the published code, so that its checkpoints load and give
the same scores; a comment marks where the code departs from the paper. Only the computation is our own:

Time runs along the rows of a sequence (T, C). So a convolution is a matrix product, and a block of frames is a view.
Nothing loops over windows. The backward passes of convolution and attention are written out: they keep less, and the
backward pass of a slice would allocate and add a sequence of zeros as long as the video.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from lib.core.devices import autocast


class Pointwise(nn.Conv1d):
    """A 1x1 convolution of a sequence. (T, C) -> (T, C')"""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.flatten(1), self.bias)


def side_by_side(x: Tensor, *convs: Pointwise) -> tuple[Tensor, ...]:
    """Compute 1x1 convolutions of the same input and size as one matrix product."""
    weight = torch.cat([conv.weight.flatten(1) for conv in convs])
    bias = torch.cat([conv.bias for conv in convs if conv.bias is not None])
    return F.linear(x, weight, bias).chunk(len(convs), dim=1)


def taps_of(x: Tensor, step: int) -> Tensor:
    """Frames t - step, t and t + step beside each other, zeros beyond the ends. (T, C) -> (T, 3 C)"""
    padded = F.pad(x, (0, 0, step, step))
    return torch.cat((padded[: len(x)], x, padded[2 * step :]), dim=1)


class TapsProduct(torch.autograd.Function):
    """A dilated convolution as one matrix product: a quarter faster, forward and backward, and it keeps only x.

    The taps, three times as large as x, are built again in the backward pass.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, step: int) -> Tensor:
        """Convolve: x (T, C), weight (C', C, 3) -> (T, C')."""
        ctx.save_for_backward(x, weight)
        ctx.step = step
        return F.linear(taps_of(x, step), weight.transpose(1, 2).flatten(1), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (x, weight), step = ctx.saved_tensors, ctx.step
        grad_weight = (grad.T @ taps_of(x, step)).unflatten(1, (3, -1)).transpose(1, 2)
        before, at, after = (grad @ weight.to(grad.dtype).transpose(1, 2).flatten(1)).chunk(3, dim=1)
        grad_x = at.clone()
        grad_x[:-step] += before[step:]
        grad_x[step:] += after[:-step]
        return grad_x, grad_weight, grad.sum(dim=0), None


class Dilated(nn.Conv1d):
    """A convolution with taps at frames t - dilation, t, t + dilation, zero-padded. (T, C) -> (T, C)"""

    def __init__(self, channels: int, dilation: int):
        super().__init__(channels, channels, 3, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return TapsProduct.apply(x, self.weight, self.bias, self.dilation[0])


def cut(x: Tensor, block: int) -> Tensor:
    """Cut overlapping windows: each block of frames with half a block on either side, zeros beyond the ends.

    (T, C) -> (blocks, 2 * block, C) with blocks = ceil(T / block), block even; a view of one padded copy.
    """
    frames, channels = x.shape
    blocks = -(-frames // block)
    padded = x.new_zeros((blocks + 1) * block, channels)
    padded[block // 2 : block // 2 + frames] = x
    return padded.unfold(0, 2 * block, block).transpose(1, 2)


def fold(windows: Tensor, frames: int) -> Tensor:
    """The adjoint of `cut`, (blocks, 2 * block, C) -> (frames, C): the sum over a frame's places in the windows."""
    blocks, width, channels = windows.shape
    block = width // 2
    total = windows.new_zeros(blocks + 1, block, channels)
    total[:-1] = windows[:, :block]
    total[1:] += windows[:, block:]
    return total.view(-1, channels)[block // 2 : block // 2 + frames]


def blocks_of(query: Tensor, block: int) -> Tensor:
    """Blocks of frames, zeros beyond the end. (T, C) -> (blocks, block, C)"""
    return F.pad(query, (0, 0, 0, -len(query) % block)).view(-1, block, query.shape[1])


def window_weights(queries: Tensor, keys: Tensor, bias: Tensor) -> Tensor:
    """Attention weights: queries (blocks, block, C), keys (blocks, 2 * block, C) -> (blocks, block, 2 * block)."""
    return torch.baddbmm(bias, queries, keys.transpose(1, 2), alpha=queries.shape[2] ** -0.5).softmax(dim=2)


class WindowAttention(torch.autograd.Function):
    """Attention of each block over its window, shown * softmax(q k / sqrt(C) + bias) v; it keeps only q, k, v.

    The weights, 2 * block for each frame, are computed again in the backward pass, as in FlashAttention (Dao et al.,
    NeurIPS 2022, algorithm 4): sum_j w_j dw_j over a row is the product of the row's output and gradient.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor, shown: Tensor, block: int) -> Tensor:
        """Attend: query, key, value (T, C) -> (T, C); `bias` and `shown` as in `Mask`."""
        queries, keys, values = blocks_of(query, block), cut(key, block), cut(value, block)
        out = torch.bmm(window_weights(queries, keys, bias).mul_(shown), values)
        ctx.save_for_backward(queries, keys, values, bias, shown, out)
        return out.view(-1, value.shape[1])[: len(value)]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        queries, keys, values, bias, shown, out = ctx.saved_tensors
        frames, (_, block, channels) = len(grad), queries.shape
        weights, grad = window_weights(queries, keys, bias), blocks_of(grad, block)
        grad_logits = torch.bmm(grad, values.transpose(1, 2)).mul_(shown)
        grad_values = (weights * shown).transpose(1, 2) @ grad
        grad_logits.sub_((grad * out).sum(dim=2, keepdim=True)).mul_(weights).mul_(channels**-0.5)
        grad_queries = torch.bmm(grad_logits, keys).view(-1, channels)[:frames]
        grad_keys = torch.bmm(grad_logits.transpose(1, 2), queries)
        return grad_queries, fold(grad_keys, frames), fold(grad_values, frames), None, None, None


def add_dropped(x: Tensor, change: Tensor, training: bool) -> Tensor:
    """Return x + Dropout(.5)(change). The mask is the sign bit of random bytes, 20 times cheaper than Bernoulli."""
    if not training:
        return x + change
    words = torch.empty(-(-change.numel() // 8), dtype=torch.int64, device=change.device)
    words.random_(-(2**63), None)  # all 64 bits
    keep = (words.view(torch.int8) < 0)[: change.numel()].view_as(change)
    return torch.addcmul(x, change, keep.to(change.dtype), value=2)


Band = Literal["published", "thesis"]


@dataclass(frozen=True)
class Mask:
    """The part of their window that a block's queries see; None where a block is one frame, which sees only itself."""

    block: int  # length of a block of queries = dilation of the layer
    bias: Tensor | None  # (blocks, 1 or block, 2 * block), added to the attention logits
    shown: Tensor | None  # (1 or block, 2 * block), zeros and ones that multiply the attention weights


def attention_mask(frames: int, block: int, band: Band, like: Tensor) -> Mask:
    """Mask of one layer for a video of `frames` frames.

    published: all queries of a block see the whole window but its last frame (the code's slip: the paper draws a band).
    thesis: query i sees keys i ... i + block - 1 of the window, that is `block` frames around its own; this is how the
    thesis's repository had corrected the slip.
    In both, a hidden key has the logit log(1e-6), and its weight is set to zero after the softmax, so it takes a little
    of the others' weight; kept, because the weights were trained with it.
    """
    if block == 1:
        return Mask(block, None, None)
    blocks = -(-frames // block)
    key = torch.arange(2 * block, device=like.device)
    query = torch.arange(block, device=like.device)[:, None]
    frame = torch.arange(blocks, device=like.device)[:, None, None] * block + key - block // 2
    inside = (frame >= 0) & (frame < frames)  # (blocks, 1, 2 * block)
    shown = key[None] < 2 * block - 1 if band == "published" else (key >= query) & (key < query + block)
    return Mask(block, torch.log((inside & shown).to(like.dtype) + 1e-6), shown.to(like.dtype))


def window_attention(query: Tensor, key: Tensor, value: Tensor, mask: Mask) -> Tensor:
    """Attention of each block of frames to its window (equation 2): query, key, value (T, C/2) -> (T, C/2)."""
    if mask.bias is None:
        return value
    return WindowAttention.apply(query, key, value, mask.bias, mask.shown, mask.block)


class SlidingAttention(nn.Module):
    """Self-attention in windows; in a decoder, the values come from the stage before."""

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
        """Score x (T, features or classes), with `previous` (T, C): class scores (T, K), feature (T, C)."""
        x = self.conv_1x1(x)
        for layer, mask in zip(self.layers, masks, strict=True):
            x = layer(x, previous, alpha, mask)
        return self.conv_out(x), x


class MaskedPointwise(Pointwise):
    """A 1x1 convolution that, in training, hides a share of its input channels for a whole video."""

    def __init__(self, inputs: int, outputs: int, share: float):
        super().__init__(inputs, outputs)
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        shown = F.dropout(x.new_ones(x.shape[1]), self.share, self.training)
        return F.linear(x, self.weight.flatten(1) * shown, self.bias)  # masking weights spares a copy of the features


class ASFormer(nn.Module):
    """Frame-wise class scores of a video from its features.

    Args:
        input_dim: D, channels of the features.
        num_classes: K.
        num_layers: layers per stage; the last sees 2**num_layers frames. The code has 10, thesis and paper say 9.
        num_maps: C, channels inside, even.
        num_decoders: refinement stages.
        channel_mask: share of feature channels hidden for a whole video in training.
        attention_band: "published" as released weights need it; "thesis": the band that the paper draws
            (see `attention_mask`).
        dtype: of the products and what lies between them; weights and scores keep theirs.
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
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        self.encoder = Stage(input_dim, num_classes, num_layers, num_maps)
        self.encoder.conv_1x1 = MaskedPointwise(input_dim, num_maps, channel_mask)
        self.decoders = nn.ModuleList(
            Stage(num_classes, num_classes, num_layers, num_maps) for _ in range(num_decoders)
        )
        self.num_layers = num_layers
        self.attention_band: Band = attention_band
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        """Score features (1, D, T): logits (1 + num_decoders, 1, K, T), the encoder's first, the best last.

        Raises ValueError: more than one video.
        """
        if x.ndim != 3 or len(x) != 1:
            raise ValueError(f"ASFormer takes one video at a time, (1, D, T); got {tuple(x.shape)}")
        like = x if self.dtype == torch.float32 else x.new_empty(0, dtype=self.dtype)
        masks = [attention_mask(x.shape[2], 2**i, self.attention_band, like) for i in range(self.num_layers)]
        with autocast(x.device, self.dtype):
            scores, feature = self.encoder(x[0].T, None, 1.0, masks)
            outputs = [scores]
            for number, decoder in enumerate(self.decoders):
                # The feature comes from the stage before, even if that is a decoder (paper: always the encoder's).
                scores, feature = decoder(scores.softmax(dim=1), feature, math.exp(-3 * number), masks)
                outputs.append(scores)
        return torch.stack(outputs).to(x.dtype).transpose(1, 2)[:, None]
