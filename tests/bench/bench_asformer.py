"""ASFormer's training step against the plain reference: seconds and memory (`make bench`).

One step = forward, loss, backward, Adam, on random features: 2048 channels, 10 layers, 3 decoders, 19 classes,
2 threads. Each figure comes from a process of its own, the three in turn; seconds are the fastest step, memory is the
highest resident size less that after the imports. The share of the peak is the step's multiplications and additions per
second over those of a product of two 2048 x 2048 matrices of the same type in the same process. The exit code is 1 if a
target of the project is missed. What bfloat16 does to scores: tests/bench/bench_dtype.py.
"""

import os
import sys
import time
from functools import partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from lib.asformer.model import ASFormer
from lib.asformer.training import segmentation_loss
from tests.bench.machine import TWO_THREADS, alone, highest, peak
from tests.reference_asformer import ReferenceASFormer

HALF = "bfloat16"
MODELS = {"reference": ReferenceASFormer, "ours": ASFormer, HALF: partial(ASFormer, dtype=torch.bfloat16)}
STEPS = {"reference": 2, "ours": 6, HALF: 6}
LENGTHS = (400, 1000, 3000, 6000, 11500)
SPEED_UP = {6000: 5.0, 11500: 8.0}  # at least
MEMORY = 0.6  # of the reference's, at most, at these lengths


def measure(name: str, frames: int) -> tuple[float, float, float]:
    """Seconds, megabytes and share of the peak of one implementation."""
    torch.set_num_threads(2)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # imports what an optimizer needs
    before = highest()
    model = MODELS[name](2048, 19)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, weight_decay=1e-5, fused=name != "reference")
    features, target = torch.randn(1, 2048, frames), torch.randint(19, (frames,))

    def step() -> float:
        start = time.perf_counter()
        optimizer.zero_grad()
        segmentation_loss(model(features), target, 0.15).backward()
        optimizer.step()
        return time.perf_counter() - start

    seconds = min(step() for _ in range(STEPS[name]))
    memory = highest() - before
    with FlopCounterMode(display=False) as counter:
        step()
    rate = counter.get_total_flops() / seconds
    return seconds, memory, rate / peak(getattr(model, "dtype", torch.float32))


def main() -> int:
    os.environ |= TWO_THREADS
    missed = False
    print(f"{'frames':>7} {'reference':>17} {'ours':>17} {'speed-up':>9} {'memory':>7} {'of the peak':>12}", end="")
    print(f" | {HALF:>17} {'to float32':>11} {'of its peak':>12}")
    for frames in LENGTHS:
        figures = [alone(measure, name, frames) for name in MODELS]
        (slow, much, _), (fast, little, share), (half, least, share_of_half) = figures
        print(
            f"{frames:7d} {slow:8.2f} s {much:5.0f} MB {fast:8.2f} s {little:5.0f} MB {slow / fast:8.1f}x"
            f" {little / much:7.2f} {share:12.0%} | {half:8.2f} s {least:5.0f} MB {fast / half:10.1f}x"
            f" {share_of_half:12.0%}",
            flush=True,
        )
        if frames in SPEED_UP:
            missed |= slow / fast < SPEED_UP[frames] or little / much > MEMORY
    targets = ", ".join(f"{ratio:g}x at {frames}" for frames, ratio in SPEED_UP.items())
    print(f"targets, {targets}, memory {MEMORY}: {'missed' if missed else 'met'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
