"""Operations on a video's sequence (T, C) that ASFormer is made of, exact and with one pass where autograd would take many.

Time runs along the rows, so a 1x1 convolution is a matrix product, a dilated convolution three of them on shifted rows,
and the blocks of the sliding attention are views. The backward passes are written out because that of a slice allocates
and adds a sequence of zeros as long as the video.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class DilatedConvReLU(torch.autograd.Function):
    """ReLU of a convolution over time with three taps, `dilation` frames apart, zero-padded to keep the length."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
        """x: (T, C), weight: (C', C, 3), bias: (C',) -> (T, C')"""
        past, now, future = weight.permute(2, 1, 0).contiguous()  # three of (C, C')
        out = torch.addmm(bias, x, now)
        if dilation < len(x):
            out[dilation:].addmm_(x[:-dilation], past)
            out[:-dilation].addmm_(x[dilation:], future)
        out.relu_()
        ctx.save_for_backward(x, weight, out)
        ctx.dilation = dilation
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, out = ctx.saved_tensors
        dilation = ctx.dilation
        grad = grad * (out > 0)
        past, now, future = weight.permute(2, 0, 1).contiguous()  # three of (C', C)
        grad_x, grad_weight = grad @ now, torch.zeros_like(weight)
        grad_weight[:, :, 1] = grad.T @ x
        if dilation < len(x):
            grad_x[:-dilation].addmm_(grad[dilation:], past)
            grad_x[dilation:].addmm_(grad[:-dilation], future)
            grad_weight[:, :, 0] = grad[dilation:].T @ x[:-dilation]
            grad_weight[:, :, 2] = grad[:-dilation].T @ x[dilation:]
        return grad_x, grad_weight, grad.sum(0), None


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
