"""Sliding windows over a long video: 32 seconds every 16 in the thesis (2.7), and how their results are joined.

A long video on its way through VideoCLIP's video branch (thesis 2.7): windows, scores, their mean, labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lib.videoclip.model import VideoCLIP
from lib.videoclip.target import Target


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


@dataclass(frozen=True)
class Trace:
    """Attributes:
    video: its name.
    starts: first seconds of the windows, (N,).
    inside: which seconds of a window are in the video, (N, W) bool.
    window_scores: of the classes, (N, W, K).
    merged: mean over the windows of a second, (T, K).
    truth: class numbers of the seconds, (T,).
    """

    video: str
    starts: Sequence[int]
    inside: np.ndarray
    window_scores: np.ndarray
    merged: np.ndarray
    truth: np.ndarray


def trace(target: Target, video: str, model: VideoCLIP, vectors: Tensor, stride: int, cls_visible: bool) -> Trace:
    """Follow one video.

    Args:
        vectors: (K, H), of the class names.
        stride: seconds between two windows.
    """
    features = torch.from_numpy(target.features(video, model.input_dim)).to(vectors.device)
    windows, mask, starts = cut_windows(features, model.max_video_len, stride)
    with torch.inference_mode():
        scores = model.video_states(windows, mask, cls_visible) @ vectors.T
    merged = merge_windows(scores, starts, len(features)).cpu().numpy()
    truth = target.truth(video, len(features))
    return Trace(video, starts, mask.cpu().numpy(), scores.cpu().numpy(), merged, truth)


def by_position(traces: Sequence[Trace]) -> pd.DataFrame:
    """How good a second is by its place in a window, before windows are merged.

    Returns:
        Index position (second of the window, from 0); accuracy in percent, seconds.
    """
    size = traces[0].inside.shape[1]
    right, seen = np.zeros(size), np.zeros(size)
    for one in traces:
        places = np.minimum(np.asarray(one.starts)[:, None] + np.arange(size), len(one.truth) - 1)
        right += ((one.window_scores.argmax(axis=2) == one.truth[places]) & one.inside).sum(axis=0)
        seen += one.inside.sum(axis=0)
    table = pd.DataFrame({"accuracy": 100 * right / np.maximum(seen, 1), "seconds": seen.astype(int)})
    return table.rename_axis("position")


def merged_accuracy(traces: Sequence[Trace]) -> float:
    """Share of the seconds that are right after merging, percent."""
    right = sum(int((one.merged.argmax(axis=1) == one.truth).sum()) for one in traces)
    return 100 * right / sum(len(one.truth) for one in traces)
