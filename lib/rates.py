"""Learning rates as functions of how far a training is, set before each step: nothing to keep in a checkpoint."""

import math

from torch.optim import Optimizer


def one_cycle(step: int, steps: int) -> float:
    """Factor at a step (from 0): linear warm-up over a tenth of the steps, then half a cosine down to zero.

    >>> [round(one_cycle(step, 20), 2) for step in (0, 1, 2, 11, 19)]
    [0.5, 1.0, 1.0, 0.5, 0.01]
    """
    warm = max(1, round(0.1 * steps))
    done = max(0, step - warm) / max(1, steps - warm)
    return min((step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * min(done, 1.0)))


def linear(step: int, warmup: int, steps: int) -> float:
    """Factor at a step (from 1): linear warm-up, then linear down to zero at `steps`.

    >>> [linear(step, 10, 110) for step in (1, 10, 60, 110)]
    [0.1, 1.0, 0.5, 0.0]
    """
    return min(step / warmup, max(0.0, (steps - step) / max(1, steps - warmup)))


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """For all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate
