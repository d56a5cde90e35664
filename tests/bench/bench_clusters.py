"""Mining clusters at HowTo100M's size: seconds, memory and recall of the exact index and of inverted files.

1.2 million vectors of 768 numbers in 20,000 heaps (random centres, noise of the same energy, length 1); of N / 32 of
them, drawn at random, the 64 nearest are looked up, as once an epoch in training. An inverted file has 4096 cells at
1.2 million, in proportion to the square root of N at other sizes. Each figure comes from a process of its own, with two
threads; memory is the highest resident size, of which 1 GB are the imports. How much an inverted file finds depends on
the vectors: a profile's own recall stands in its training's history. There is no target; the exit code is 0.

    python -m tests.bench.bench_clusters --scale 0.01     # to see that it runs
"""

import argparse
import math
import os
import sys
import tempfile
import time
from typing import Any

import faiss
import numpy as np
import torch

from lib.core.settings import Mining
from lib.pretraining.clusters import build_index, nearest, recall
from tests.bench.machine import TWO_THREADS, alone, highest, peak

VIDEOS, CHANNELS, HEAPS = 1_200_000, 768, 20_000
CLUSTER = 32  # videos: one query for so many, twice as many neighbours
LISTS, PROBES = 4096, (1, 8, 32)
PARTS = (16, 8, 4, 2, 1)  # of the videos, for growth
KNOWN = 500  # queries for recall
CHUNK = 50_000
THREADS = 2
WARN = 20  # minutes


def vectors_of(count: int, scale: float) -> np.ndarray:
    """float32 (count, CHANNELS); the first of them are the same for every count."""
    heaps = max(1, round(HEAPS * scale))
    centres = np.random.default_rng(0).standard_normal((heaps, CHANNELS), np.float32)
    vectors = np.empty((count, CHANNELS), np.float32)
    for number, first in enumerate(range(0, count, CHUNK)):
        rng, part = np.random.default_rng([1, number]), vectors[first : first + CHUNK]
        heap = rng.integers(heaps, size=CHUNK)[: len(part)]
        part[:] = rng.standard_normal((CHUNK, CHANNELS), np.float32)[: len(part)]
        part += centres[heap]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def lists_of(count: int, scale: float) -> int:
    return max(1, round(LISTS * scale * math.sqrt(count / (VIDEOS * scale))))


def measure(kind: str, count: int, scale: float, file: str) -> tuple[float, list[float], float, list[float]]:
    """Seconds to build, to search (with each number of probes), megabytes, and recalls.

    Args:
        file: the true neighbours of the first KNOWN queries, written by "exact", read by "ivf".
    """
    faiss.omp_set_num_threads(THREADS)
    vectors = vectors_of(count, scale)
    queries = vectors[np.random.default_rng(2).choice(count, count // CLUSTER, replace=False)]
    index_kind = {"index": kind, "lists": lists_of(count, scale), "probes": PROBES[0]}
    began = time.perf_counter()
    index: Any = build_index(vectors, Mining(negatives="fresh", per_video=16, **index_kind))
    built = time.perf_counter() - began
    seconds, recalls = [], []
    for probes in PROBES if kind == "ivf" else PROBES[:1]:
        if kind == "ivf":
            index.nprobe = probes
        began = time.perf_counter()
        found = nearest(index, queries, 2 * CLUSTER)
        seconds.append(time.perf_counter() - began)
        if kind == "exact":
            np.save(file, found[:KNOWN])
        recalls.append(recall(found[:KNOWN], np.load(file)))
    return built, seconds, highest(), recalls


def work_of(count: int, scale: float) -> dict[str, float]:
    """Operations of the matrix products; the inverted file's training takes ten rounds over 256 vectors per cell."""
    lists = lists_of(count, scale)
    learnt = min(count, 256 * lists)
    scanned = count // CLUSTER * sum(PROBES) * count / lists
    return {
        "exact": 2 * CHANNELS * count * (count // CLUSTER),
        "ivf": 2 * CHANNELS * ((10 * learnt + count) * lists + scanned),
    }


def minutes(sizes: list[int], scale: float) -> float:
    """A guess at all of it, from a small exact search and a small draw on this machine."""
    faiss.omp_set_num_threads(THREADS)
    began = time.perf_counter()
    vectors = vectors_of(20_000, 0.1)
    drawn = (time.perf_counter() - began) / CHUNK  # a whole chunk is drawn
    index = faiss.IndexFlatL2(CHANNELS)
    index.add(vectors)
    nearest(index, vectors[:100], 2 * CLUSTER)
    began = time.perf_counter()
    nearest(index, vectors[:4096], 2 * CLUSTER)
    rate = 2 * CHANNELS * len(vectors) * 4096 / (time.perf_counter() - began)
    total = sum(sum(work_of(count, scale).values()) / rate + 2 * (count * drawn + 5) for count in sizes)
    print(f"two threads search with {rate / 1e9:.0f} GFLOP/s; all of this should take {total / 60:.0f} minutes")
    return total / 60


def growth(figures: list[float], sizes: list[int]) -> float:
    """Exponent of N from the second largest to the largest size."""
    return math.log(figures[-1] / figures[-2]) / math.log(sizes[-1] / sizes[-2])


def main(scale: float) -> int:
    os.environ |= TWO_THREADS
    sizes = [round(VIDEOS * scale) // part for part in PARTS]
    if minutes(sizes, scale) > WARN:
        print(f"WARNING: more than {WARN} minutes on this machine; --scale 0.1 takes a thirtieth or less", flush=True)
    probes = " ".join(f"{f'search, {number}':>10}" for number in PROBES)
    found = " ".join(f"{f'recall, {number}':>10}" for number in PROBES)
    torch.set_num_threads(THREADS)
    most = peak(torch.float32)
    print(f"{'':>8} {'':>7} | {'exact index':^41} | inverted file; searches and recalls with so many cells read")
    print(f"{'videos':>8} {'queries':>7} | {'add':>7} {'search':>10} {'of the peak':>11} {'GB':>10} |", end="")
    print(f" {'cells':>5} {'build':>9} {probes} {found} {'GB':>5}", flush=True)
    times: dict[str, list[float]] = {"exact search": [], "inverted file, build": []}
    times |= {f"search, {number} read": [] for number in PROBES}
    with tempfile.TemporaryDirectory() as folder:
        for count in sizes:
            figures = [alone(measure, kind, count, scale, f"{folder}/{count}.npy") for kind in ("exact", "ivf")]
            (added, (exact,), much, _), (built, searches, more, recalls) = figures
            print(
                f"{count:>8} {count // CLUSTER:>7} | {added:>5.1f} s {exact:>8.2f} s"
                f" {work_of(count, scale)['exact'] / exact / most:>11.0%} {much / 1024:>10.2f} |"
                f" {lists_of(count, scale):>5} {built:>7.1f} s {' '.join(f'{value:>8.2f} s' for value in searches)}"
                f" {' '.join(f'{value:>10.3f}' for value in recalls)} {more / 1024:>5.2f}",
                flush=True,
            )
            for name, value in zip(times, (exact, built, *searches), strict=True):
                times[name].append(value)
    exponents = "; ".join(f"{name} {growth(values, sizes):.2f}" for name, values in times.items())
    print(f"exponents of N, from {sizes[-2]:,} to {sizes[-1]:,} videos: {exponents}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of videos, heaps and cells")
    sys.exit(main(parser.parse_args().scale))
