"""Dropout whose masks cost less on a processor (Srivastava et al., JMLR 2014; BERT's rate of 0.1, thesis 2.4.2).

torch draws a random number an element there, one after another: a tenth of a training step of BERT. Here one draw of
64 bits serves four elements, so the rate is right to 1/65,536, and what is left is scaled for that very rate.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STEPS = 1 << 16  # values of the 16 bits that decide on an element


class Dropout(nn.Dropout):
    """As torch's."""

    def forward(self, x: Tensor) -> Tensor:
        """x of any shape."""
        return dropout(x, self.p) if self.training else x


def dropout(x: Tensor, rate: float) -> Tensor:
    """Each element is 0 with probability `rate`, else scaled so that its mean stays; drawn from torch's generator.

    Raises:
        ValueError: a rate that is not in [0, 1).
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: a rate of {rate} is not in [0, 1)")
    if x.device.type != "cpu":
        return F.dropout(x, rate)
    dropped = round(rate * STEPS)
    if dropped == 0:
        return x
    draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
    kept = draws.view(torch.int16)[: x.numel()].view(x.shape) >= dropped - STEPS // 2
    return x * (kept.to(x.dtype) * (STEPS / (STEPS - dropped)))


def use_quick_dropout(module: nn.Module) -> None:
    """Put this dropout in the place of torch's, throughout a module."""
    for part in list(module.modules()):
        for name, child in part.named_children():
            if type(child) is nn.Dropout:
                setattr(part, name, Dropout(child.p))
