"""What benchmarks share: processes of their own to measure in, and what the machine can do at most."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch

TWO_THREADS = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"}  # no spinning where cores are shared


def alone(function: Callable, *arguments: object) -> Any:
    """What a function of a benchmark returns in a new process, which has this one's environment."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        return processes.submit(function, *arguments).result()


def highest() -> float:
    """The most megabytes of this process. Not by getrusage: a child begins with its parent's highest size."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def peak(dtype: torch.dtype) -> float:
    """Operations a second of a product of two 2048 x 2048 matrices with this process's threads, the best of some."""
    a, b = torch.randn(2, 2048, 2048).to(dtype)
    best = 0.0
    for _ in range(10):
        start = time.perf_counter()
        torch.mm(a, b)
        best = max(best, 2 * 2048**3 / (time.perf_counter() - start))
    return best
