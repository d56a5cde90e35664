"""A long video on its way through VideoCLIP's video branch (thesis 2.7): windows, scores, their mean, labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lib.target import Target
from lib.videoclip import VideoCLIP
from lib.windows import cut_windows, merge_windows


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
