"""What the machine can do at most, beside which a benchmark shows what it reached."""

import time

import torch


def peak(dtype: torch.dtype) -> float:
    """Operations a second of a product of two 2048 x 2048 matrices with this process's threads, the best of some."""
    a, b = torch.randn(2, 2048, 2048).to(dtype)
    best = 0.0
    for _ in range(10):
        start = time.perf_counter()
        torch.mm(a, b)
        best = max(best, 2 * 2048**3 / (time.perf_counter() - start))
    return best
