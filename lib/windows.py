"""Sliding windows over a long video: 32 seconds every 16 in the thesis (2.7), and how their results are joined."""

import torch
from torch import Tensor


def window_starts(length: int, size: int, stride: int) -> list[int]:
    """First seconds of the windows; the first window that reaches the end is the last.

    >>> window_starts(75, 32, 16), window_starts(20, 32, 16)
    ([0, 16, 32, 48], [0])
    """
    last = max(0, -(-(length - size) // stride))
    return [number * stride for number in range(last + 1)]


def cut_windows(features: Tensor, size: int, stride: int) -> tuple[Tensor, Tensor, list[int]]:
    """Windows of a video, the last filled up with zeros.

    Args:
        features: (T, D), one a second.

    Returns:
        (N, size, D), which seconds are there (N, size), first seconds of the windows.
    """
    starts = window_starts(len(features), size, stride)
    windows = features.new_zeros(len(starts), size, features.shape[1])
    mask = torch.zeros(len(starts), size, dtype=torch.bool, device=features.device)
    for window, seen, start in zip(windows, mask, starts, strict=True):
        part = features[start : start + size]
        window[: len(part)] = part
        seen[: len(part)] = True
    return windows, mask, starts


def merge_windows(window_logits: Tensor, first_seconds: list[int] | Tensor, length: int) -> Tensor:
    """Mean over the windows that hold a second.

    Args:
        window_logits: (N, W, K).
        first_seconds: (N,) where each window begins; what lies beyond `length` is left out.

    Returns:
        (length, K).

    Raises:
        ValueError: a second that no window holds.
    """
    _, size, classes = window_logits.shape
    seconds = torch.as_tensor(first_seconds, device=window_logits.device)[:, None]
    seconds = seconds + torch.arange(size, device=window_logits.device)
    inside = seconds < length
    total = window_logits.new_zeros(length, classes).index_add_(0, seconds[inside], window_logits[inside])
    count = torch.bincount(seconds[inside], minlength=length)
    if (count == 0).any():
        raise ValueError(f"second {int(count.argmin())} of {length} is in no window")
    return total / count[:, None]
