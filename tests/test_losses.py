import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.asformer.training import segmentation_loss


def plain_loss(logits: np.ndarray, target: np.ndarray, smoothing: float) -> float:
    """Equation by equation, frame by frame."""
    total = 0.0
    for stage in logits[:, 0]:
        log_p = stage - np.log(np.exp(stage).sum(axis=0))
        classes, frames = log_p.shape
        entropy = -np.mean([log_p[target[t], t] for t in range(frames)])
        squares = [min((log_p[k, t] - log_p[k, t - 1]) ** 2, 16.0) for t in range(1, frames) for k in range(classes)]
        total += entropy + smoothing * np.mean(squares)
    return total


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31), stages=st.integers(1, 4), classes=st.integers(2, 6), frames=st.integers(2, 20))
def test_loss_is_the_sum_over_frames(seed, stages, classes, frames):
    rng = np.random.default_rng(seed)
    logits, target = 4 * rng.standard_normal((stages, 1, classes, frames)), rng.integers(0, classes, frames)
    loss = segmentation_loss(torch.from_numpy(logits), torch.from_numpy(target), 0.25)
    assert loss.item() == pytest.approx(plain_loss(logits, target, 0.25), rel=1e-9)


def smoothing_gradient(logits: torch.Tensor) -> torch.Tensor:
    logits.requires_grad_()
    target = torch.zeros(logits.shape[-1], dtype=torch.int64)
    with_, without = segmentation_loss(logits, target, 1.0), segmentation_loss(logits, target, 0.0)
    return torch.autograd.grad(with_ - without, logits)[0]


def test_smoothing_pulls_the_later_frame_only():
    gradient = smoothing_gradient(torch.tensor([[0.0, 1.0], [0.0, -1.0]])[None, None])
    assert gradient[..., 0].abs().max() < 1e-7
    assert gradient[0, 0, 0, 1] > 0 > gradient[0, 0, 1, 1]


def test_a_change_beyond_the_clip_pulls_no_more():
    gradient = smoothing_gradient(torch.tensor([[0.0, 50.0], [0.0, -50.0]])[None, None])
    # Only the rising class's change, ln 2, is below the clip of 4; its probability is saturated.
    assert gradient.abs().max() < 1e-6
