"""Optical flow, the input of the second stream (thesis 2.2.1, Figure 4; Carreira and Zisserman, CVPR 2017).

The paper computes TV-L1 flow. This is Farneback's (SCIA 2003), which OpenCV has without extra modules and which follows
small things at 64 x 64 pixels too. Displacements are cut off at 20 pixels and scaled to [-1, 1], as the paper's authors
released them.
"""

from itertools import pairwise

import cv2
import numpy as np
import torch
from torch import Tensor

from lib.inputs import center_crop, resize_short_side
from lib.sections import I3D

LIMIT = 20.0  # pixels a frame


def to_flow(frames: Tensor, settings: I3D) -> Tensor:
    """Motion from each frame to the next, as the flow net takes it.

    Args:
        frames: (T + 1, H, W, 3) uint8, BGR.
        settings: its sizes; the flow is computed on the resized and cropped frames.

    Returns:
        (2, T, crop, crop) float32 in [-1, 1]: horizontal, then vertical displacement.
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
