"""Sliding windows over a long video (thesis 2.7): 32 seconds every 16, and the mean where they overlap."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lib.core.devices import autocast
from lib.videoclip.model import VideoCLIP
from lib.videoclip.target import Target


def over_windows(features: Tensor, size: int, stride: int, compute: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Compute something for each second of a long video in windows, and average where they overlap: (T, D) -> (T, K).

    `compute`: windows (N, W, D) and their mask (N, W) -> (N, W, K), e.g. states or class scores.
    """
    windows, mask, starts = cut_windows(features, size, stride)
    return merge_windows(compute(windows, mask), starts, len(features))


def second_states(
    model: VideoCLIP, features: Tensor, stride: int, cls_visible: bool, dtype: torch.dtype = torch.float32
) -> Tensor:
    """VideoCLIP's state of each second of a long video: features (T, D) -> (T, H) float32."""

    def states(windows: Tensor, mask: Tensor) -> Tensor:
        with autocast(features.device, dtype):
            return model.video_states(windows, mask, cls_visible).float()

    return over_windows(features, model.max_video_len, stride, states)


def window_starts(length: int, size: int, stride: int) -> list[int]:
    """First seconds of the windows; the first window that reaches the end is the last.

    >>> window_starts(75, 32, 16), window_starts(20, 32, 16)
    ([0, 16, 32, 48], [0])
    """
    return list(range(0, max(0, length - size) + stride, stride))


def cut_windows(features: Tensor, size: int, stride: int) -> tuple[Tensor, Tensor, list[int]]:
    """Cut a video, (T, D), one feature per second, into windows; the last is padded with zeros.

    Returns windows (N, size, D), a mask (N, size) that is False on the padding, and the windows' first seconds.
    """
    starts = window_starts(len(features), size, stride)
    windows = features.new_zeros(len(starts), size, features.shape[1])
    mask = torch.zeros(len(starts), size, dtype=torch.bool, device=features.device)
    for window, seen, start in zip(windows, mask, starts, strict=True):
        part = features[start : start + size]
        window[: len(part)] = part
        seen[: len(part)] = True
    return windows, mask, starts


def merge_windows(window_values: Tensor, first_seconds: list[int] | Tensor, length: int) -> Tensor:
    """Average each second over the windows that contain it: (N, W, K) -> (length, K).

    Windows begin at `first_seconds`; their seconds from `length` on are ignored.

    Raises ValueError: a second is in no window.
    """
    _, size, channels = window_values.shape
    seconds = torch.as_tensor(first_seconds, device=window_values.device)[:, None]
    seconds = seconds + torch.arange(size, device=window_values.device)
    inside = seconds < length
    total = window_values.new_zeros(length, channels).index_add_(0, seconds[inside], window_values[inside])
    count = torch.bincount(seconds[inside], minlength=length)
    if (count == 0).any():
        raise ValueError(f"second {int(count.argmin())} of {length} is in no window")
    return total / count[:, None]


@dataclass(frozen=True)
class Trace:
    """Results of the video branch for one video, step by step."""

    video: str
    starts: Sequence[int]  # (N,) first seconds of the windows
    inside: np.ndarray  # (N, W) bool, whether a second of a window is in the video
    window_scores: np.ndarray  # (N, W, K) class scores
    merged: np.ndarray  # (T, K) mean over the windows of a second
    truth: np.ndarray  # (T,) class numbers of the seconds


def trace(target: Target, video: str, model: VideoCLIP, vectors: Tensor, stride: int, cls_visible: bool) -> Trace:
    """Follow one video through the video branch. `vectors`: of the class names, (K, H)."""
    features = torch.from_numpy(target.features(video, model.input_dim)).to(vectors.device)
    windows, mask, starts = cut_windows(features, model.max_video_len, stride)
    with torch.inference_mode():
        scores = model.video_states(windows, mask, cls_visible) @ vectors.T
    merged = merge_windows(scores, starts, len(features)).cpu().numpy()
    truth = target.truth(video, len(features))
    return Trace(video, starts, mask.cpu().numpy(), scores.cpu().numpy(), merged, truth)


def by_position(traces: Sequence[Trace]) -> pd.DataFrame:
    """Accuracy of a second by its position in a window, before windows are merged.

    The index is position (second of the window, from 0), the columns are accuracy (percent) and seconds.
    """
    size = traces[0].inside.shape[1]
    correct, seen = np.zeros(size), np.zeros(size)
    for one in traces:
        places = np.minimum(np.asarray(one.starts)[:, None] + np.arange(size), len(one.truth) - 1)
        correct += ((one.window_scores.argmax(axis=2) == one.truth[places]) & one.inside).sum(axis=0)
        seen += one.inside.sum(axis=0)
    table = pd.DataFrame({"accuracy": 100 * correct / np.maximum(seen, 1), "seconds": seen.astype(int)})
    return table.rename_axis("position")


def merged_accuracy(traces: Sequence[Trace]) -> float:
    """Percent of seconds that are correct after merging."""
    correct = sum(int((one.merged.argmax(axis=1) == one.truth).sum()) for one in traces)
    return 100 * correct / sum(len(one.truth) for one in traces)
