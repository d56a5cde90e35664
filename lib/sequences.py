"""Operations on a video's sequence (T, C) that ASFormer is made of: convolution, attention windows, dropout.

Time runs along the rows: seen as an image of one row, a sequence is in the channels-last layout, for which oneDNN's
convolutions are at their fastest, and the blocks of the sliding attention are plain views. The backward pass of the
windows is written out, because that of a slice allocates and adds a sequence of zeros as long as the video.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def pointwise(x: Tensor, *convs: nn.Conv1d) -> Tensor:
    """1x1 convolutions of the same input as one matrix product, outputs side by side. x: (T, C) -> (T, sum of C')"""
    if len(convs) == 1:
        return F.linear(x, convs[0].weight[:, :, 0], convs[0].bias)
    weight = torch.cat([conv.weight[:, :, 0] for conv in convs])
    return F.linear(x, weight, torch.cat([conv.bias for conv in convs]))


def dilated(x: Tensor, conv: nn.Conv1d) -> Tensor:
    """A convolution over time with three taps, zero-padded to keep the length. x: (T, C) -> (T, C')"""
    step = conv.dilation[0]
    image = x[None, None].permute(0, 3, 1, 2)  # (1, C, 1, T), in memory still (T, C): channels last
    weight = conv.weight[:, :, None]  # (C', C, 1, 3)
    return F.conv2d(image, weight, conv.bias, padding=(0, step), dilation=(1, step))[0, :, 0].T


class Windows(torch.autograd.Function):
    """Cut a sequence into overlapping windows: each block of frames with half a block on either side, zeros at the ends.

    Padded by half a block, window b is block b followed by block b + 1.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, block: int, hide_last: bool) -> Tensor:
        """x: (T, C) -> (blocks, 2 * block, C) with blocks = ceil(T / block), block even; `hide_last`: last row zero."""
        frames, channels = x.shape
        blocks = -(-frames // block)
        padded = x.new_zeros((blocks + 1) * block, channels)
        padded[block // 2 : block // 2 + frames] = x
        padded = padded.view(blocks + 1, block, channels)
        windows = torch.cat((padded[:-1], padded[1:]), dim=1)
        if hide_last:
            windows[:, -1] = 0
        ctx.sizes = frames, block, hide_last
        return windows

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        frames, block, hide_last = ctx.sizes
        blocks, _, channels = grad.shape
        total = grad.new_zeros(blocks + 1, block, channels)
        total[:-1] = grad[:, :block]
        total[1:, : block - hide_last] += grad[:, block : 2 * block - hide_last]
        return total.view(-1, channels)[block // 2 : block // 2 + frames], None, None


def add_dropped(x: Tensor, change: Tensor, training: bool) -> Tensor:
    """x + Dropout(.5)(change), the coins being the signs of random bytes: 20 times cheaper than a Bernoulli number each."""
    if not training:
        return x + change
    words = torch.empty(-(-change.numel() // 8), dtype=torch.int64, device=change.device)
    words.random_(-(2**63), None)
    keep = (words.view(torch.int8) < 0)[: change.numel()].view_as(change)
    return torch.add(x, change * keep, alpha=2)
