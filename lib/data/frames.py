"""Decoded frames as inputs of the video nets: RGB (thesis 2.3.2) and optical flow (thesis 2.2.1, Figure 4).

Resizing and cropping follow pytorchvideo's `ShortSideScale` and `CenterCrop`. Carreira and Zisserman (CVPR 2017) use
TV-L1 flow. This is Farneback's (SCIA 2003), which OpenCV includes without extra modules and which also follows small
things at 64 x 64 pixels. Displacements are cut off at 20 pixels and scaled to [-1, 1], as in the authors' release.
"""

from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lib.core.settings import I3D, Resize


def to_input(frames: Tensor, settings: I3D) -> Tensor:
    """Decoded frames as inputs of I3D: (..., T, H, W, 3) uint8 -> (..., 3, T, crop, crop) float32, normalized.

    OpenCV decodes BGR. The thesis kept this order (`channel_order: bgr`); the published weights were trained on RGB.
    """
    if settings.channel_order == "rgb":
        frames = frames.flip(-1)
    x = frames.movedim(-1, -4).float() / 255  # (..., 3, T, H, W)
    x = center_crop(resize_short_side(x, settings.short_side), settings.crop)
    return (x - settings.mean) / settings.std


def to_clips(frames: Tensor, size: int, resize: Resize = "bilinear") -> Tensor:
    """Frames as inputs of S3D: (B, T, H, W, 3) uint8 BGR -> (B, 3, T, size, size) RGB in [0, 1].

    Bicubic is ffmpeg's `scale` (`bicubic_weights`), which VideoCLIP's extractor calls, rounded to whole levels. For
    frames scaled from 102 pixels to 48, the demo's S3D features differ from those of ffmpeg's frames by 0.5 % of the
    spread between seconds; with bilinear by 4.7 %.
    """
    x = frames.flip(-1).movedim(-1, 1).float() / 255
    x = center_crop(resize_short_side(x, size, resize), size)
    return (x * 255).round().clamp(0, 255) / 255 if resize == "bicubic" else x


def resize_short_side(x: Tensor, size: int, resize: Resize = "bilinear") -> Tensor:
    """Resize (..., H, W) to short side `size`; bilinear is without antialiasing, like pytorchvideo's ShortSideScale."""
    height, width = x.shape[-2:]
    if min(height, width) == size:
        return x
    target = (size, width * size // height) if height <= width else (height * size // width, size)
    if resize == "bicubic":
        rows, columns = (bicubic_weights(*sides).to(x) for sides in zip((height, width), target, strict=True))
        return rows @ x @ columns.T
    resized = F.interpolate(x.reshape(-1, 1, height, width), target, mode="bilinear", align_corners=False)
    return resized.reshape(*x.shape[:-2], *target)


@cache
def bicubic_weights(source: int, target: int) -> Tensor:
    """Weights of the `source` pixels of a side in each of the `target` resized ones, (target, source); rows sum to one.

    Keys' cubic kernel (IEEE Transactions on Acoustics, Speech, and Signal Processing 29, 1981) with a = -0.6, the
    default of ffmpeg's swscale (torch has -0.75, and -0.5 with antialiasing), widened when a picture shrinks.
    """
    a, scale = -0.6, max(source / target, 1)
    centres = (torch.arange(target, dtype=torch.float64) + 0.5) * source / target - 0.5
    x = ((torch.arange(source) - centres[:, None]) / scale).abs()
    near, far = (a + 2) * x**3 - (a + 3) * x**2 + 1, a * (x**3 - 5 * x**2 + 8 * x - 4)
    weights = torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
    return weights / weights.sum(dim=1, keepdim=True)


def center_crop(x: Tensor, size: int) -> Tensor:
    """Cut out the centre: (..., H, W) -> (..., size, size)."""
    top, left = round((x.shape[-2] - size) / 2), round((x.shape[-1] - size) / 2)
    return x[..., top : top + size, left : left + size]


def random_squares(clips: Tensor, smallest: int) -> Tensor:
    """Augment clips: cut a square of one random side for all, at a random place in each, mirrored or not.

    (B, T, S, S, 3) uint8 -> (B, T, side, side, 3), smallest <= side <= S.
    """
    side = int(torch.randint(smallest, clips.shape[2] + 1, ()))
    tops, lefts = torch.randint(clips.shape[2] - side + 1, (2, len(clips))).tolist()
    parts = [clip[:, y : y + side, x : x + side] for clip, y, x in zip(clips, tops, lefts, strict=True)]
    return torch.stack([part.flip(2) if torch.rand(()) < 0.5 else part for part in parts])


LIMIT = 20.0  # pixels per frame


def to_flow(frames: Tensor, settings: I3D) -> Tensor:
    """Motion from each frame to the next, after resizing and cropping, as input of the flow net.

    (T + 1, H, W, 3) uint8 BGR -> (2, T, crop, crop) float32 in [-1, 1]: horizontal, then vertical displacement.
    """
    grey = torch.from_numpy(np.stack([cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in frames.numpy()]))
    resized = center_crop(resize_short_side(grey.float(), settings.short_side), settings.crop)
    pictures = resized.round().byte().numpy()  # (T + 1, crop, crop)
    fields = [_farneback(before, after) for before, after in pairwise(pictures)]
    flow = torch.from_numpy(np.stack(fields)).clamp(-LIMIT, LIMIT) / LIMIT  # (T, crop, crop, 2)
    return flow.permute(3, 0, 1, 2)


def _farneback(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Displacements (H, W, 2) in pixels between two grey pictures."""
    field = np.empty((*before.shape, 2), np.float32)
    return cv2.calcOpticalFlowFarneback(
        before, after, field, pyr_scale=0.5, levels=3, winsize=9, iterations=2, poly_n=5, poly_sigma=1.1, flags=0
    )
