"""Operations on a video's sequence (T, C) that ASFormer is made of: convolution, attention windows, dropout.

Time runs along the rows, so a 1x1 convolution is a matrix product, a block of frames is a view, and, seen as an image
of one row, the sequence is in the channels-last layout, for which convolutions are fastest. The backward pass of the
attention is written out: that of a slice would allocate and add a sequence of zeros as long as the video.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class Pointwise(nn.Conv1d):
    """A 1x1 convolution of a sequence. (T, C) -> (T, C')"""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight[:, :, 0], self.bias)


def side_by_side(x: Tensor, *convs: Pointwise) -> tuple[Tensor, ...]:
    """1x1 convolutions of the same input and size, as one matrix product."""
    weight = torch.cat([conv.weight[:, :, 0] for conv in convs])
    bias = torch.cat([conv.bias for conv in convs if conv.bias is not None])
    return F.linear(x, weight, bias).chunk(len(convs), dim=1)


class Dilated(nn.Conv1d):
    """A convolution with taps at frames t - dilation, t, t + dilation, zero-padded. (T, C) -> (T, C)"""

    def __init__(self, channels: int, dilation: int):
        super().__init__(channels, channels, 3, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        step = self.dilation[0]
        image = x[None, None].permute(0, 3, 1, 2)  # (1, C, 1, T), in memory still (T, C): channels last
        weight = self.weight[:, :, None]  # (C, C, 1, 3)
        return F.conv2d(image, weight, self.bias, padding=(0, step), dilation=(1, step))[0, :, 0].T


def cut(x: Tensor, block: int) -> Tensor:
    """Overlapping windows: each block of frames with half a block on either side, zeros beyond the ends.

    Padded by half a block, window b is block b followed by block b + 1.

    x: (T, C) -> (blocks, 2 * block, C) with blocks = ceil(T / block), block even
    """
    frames, channels = x.shape
    blocks = -(-frames // block)
    padded = x.new_zeros((blocks + 1) * block, channels)
    padded[block // 2 : block // 2 + frames] = x
    padded = padded.view(blocks + 1, block, channels)
    return torch.cat((padded[:-1], padded[1:]), dim=1)


def fold(windows: Tensor, frames: int) -> Tensor:
    """The adjoint of `cut`: each frame gets the sum of what stands for it in the windows.

    windows: (blocks, 2 * block, C) -> (frames, C)
    """
    blocks, width, channels = windows.shape
    block = width // 2
    total = windows.new_zeros(blocks + 1, block, channels)
    total[:-1] = windows[:, :block]
    total[1:] += windows[:, block:]
    return total.view(-1, channels)[block // 2 : block // 2 + frames]


def window_weights(query: Tensor, key: Tensor, bias: Tensor, block: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries in blocks (blocks, block, C), keys in windows (blocks, 2 * block, C), and the weights between them."""
    frames, channels = query.shape
    queries, keys = F.pad(query, (0, 0, 0, -frames % block)).view(-1, block, channels), cut(key, block)
    return queries, keys, torch.baddbmm(bias, queries, keys.transpose(1, 2), alpha=channels**-0.5).softmax(dim=2)


class WindowAttention(torch.autograd.Function):
    """softmax(q k / sqrt(C) + bias) v of each block of queries over its window, with the memory of q, k, v only.

    The weights, 2 * block for each frame, are computed again in the backward pass, which is that of FlashAttention
    (Dao et al., NeurIPS 2022, algorithm 4): sum_j w_j dw_j over a row is the product of the row's output and gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor, block: int, hide_last: bool
    ) -> Tensor:
        """query, key, value: (T, C); bias: (blocks, 1 or block, 2 * block); hide_last: windows' last value is 0."""
        _, _, weights = window_weights(query, key, bias, block)
        values = cut(value, block)
        if hide_last:
            values[:, -1] = 0
        out = torch.bmm(weights, values)
        ctx.save_for_backward(query, key, value, bias, out)
        ctx.options = block, hide_last
        return out.view(-1, value.shape[1])[: len(value)]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, bias, out = ctx.saved_tensors
        block, hide_last = ctx.options
        frames, channels = grad.shape
        queries, keys, weights = window_weights(query, key, bias, block)
        grad = F.pad(grad, (0, 0, 0, -frames % block)).view(-1, block, channels)
        grad_logits, grad_values = torch.bmm(grad, cut(value, block).transpose(1, 2)), weights.transpose(1, 2) @ grad
        if hide_last:
            grad_logits[:, :, -1] = 0
            grad_values[:, -1] = 0
        grad_logits.sub_((grad * out).sum(dim=2, keepdim=True)).mul_(weights).mul_(channels**-0.5)
        grad_queries = torch.bmm(grad_logits, keys).view(-1, channels)[:frames]
        grad_keys = torch.bmm(grad_logits.transpose(1, 2), queries)
        return grad_queries, fold(grad_keys, frames), fold(grad_values, frames), None, None, None


def add_dropped(x: Tensor, change: Tensor, training: bool) -> Tensor:
    """x + Dropout(.5)(change). The coins are the signs of random bytes, 20 times cheaper than Bernoulli numbers."""
    if not training:
        return x + change
    words = torch.empty(-(-change.numel() // 8), dtype=torch.int64, device=change.device)
    words.random_(-(2**63), None)  # all 64 bits
    keep = (words.view(torch.int8) < 0)[: change.numel()].view_as(change)
    return torch.add(x, change * keep, alpha=2)
