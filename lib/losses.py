"""Loss of ASFormer and MS-TCN: cross-entropy and smoothing (thesis equation 3, in the form of the published code)."""

import torch
from torch import Tensor
from torch.nn import functional as F

CLIP = 16.0  # tau squared, tau = 4 (Farha and Gall, CVPR 2019, equation 6)


def segmentation_loss(logits: Tensor, target: Tensor, smoothing: float) -> Tensor:
    """Sum over the stages of cross-entropy + smoothing * clipped squared change of log-probabilities.

    The thesis writes the change of probabilities and a weight of .25; its code, as ASFormer's, takes log-probabilities,
    holds the earlier frame's fixed, clips the square at 16 and weighs it by .15.

    Args:
        logits: (S, 1, K, T) scores of S stages.
        target: (T,) class of each frame.
        smoothing: lambda of equation 3.

    >>> logits = torch.zeros(2, 1, 4, 3)
    >>> segmentation_loss(logits, torch.tensor([0, 1, 2]), smoothing=0.15).item() / 2  # ln 4
    1.3862943649291992
    """
    log_probabilities = logits[:, 0].log_softmax(dim=1)  # (S, K, T)
    stages = len(logits)
    entropy = F.nll_loss(log_probabilities, target.expand(stages, -1)) * stages
    change = log_probabilities[:, :, 1:] - log_probabilities[:, :, :-1].detach()
    smooth = torch.clamp(change.square(), max=CLIP).mean() * stages
    return entropy + smoothing * smooth
