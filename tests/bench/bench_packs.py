"""Packing, sampling and mining at HowTo100M's scale: python -m tests.bench.bench_packs

Synthetic videos of 60 to 400 s, with 256 channels in float16 and a caption of 12 words every 3.5 s: 5,000 and 20,000
of them (3 GB), or as many as the arguments say. They are packed and opened; from the most, pairs are drawn by 0, 1 and
2 loading processes. Their packing is also killed at half of the features and continued, and must end with the same
bytes. CPU seconds and the highest resident size are those of a process of its own; files come from the page cache. For
1.1 million videos the figures are scaled up, packing by the number of videos, mining by its square.
"""

import filecmp
import json
import multiprocessing
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch.utils.data import DataLoader

from lib.core.params import load
from lib.data.packs import SHARD_VIDEOS, open_packed, pack
from lib.pretraining.clusters import mine
from lib.pretraining.pairs import ClusterBatches
from tests.bench.machine import alone, highest
from tests.narrated_data import WORDS, minilm_tokenizer

SIZES = (5_000, 20_000)
HOWTO100M = 1_100_000
CHANNELS = 256
CLUSTERS = 40  # drawn from
SETTINGS = load("params/50salads.yaml").pretrain


def write(root: Path, videos: int) -> None:
    """The first videos of the corpus."""
    rng, folder = np.random.default_rng(0), root / "features" / "random"
    folder.mkdir(parents=True)
    pool = rng.standard_normal((400, CHANNELS)).astype(np.float16)
    with (root / "raw_caption.json").open("w") as captions:
        for number in range(videos):
            seconds = int(rng.integers(60, 401))
            np.save(folder / f"video{number:07d}.npy", pool[:seconds])
            start = np.arange(0.5, seconds, 3.5)
            texts = [" ".join(words) for words in rng.choice(WORDS, (len(start), 12))]
            track = {"start": start.tolist(), "end": (start + 3.3).round(2).tolist(), "text": texts}
            captions.write(f'{", " if number else "{"}"video{number:07d}": {json.dumps(track)}')
        captions.write("}")
    (root / "train.lst").write_text("".join(f"video{number:07d}\n" for number in range(videos)))


def packed(root: Path, folder: Path) -> None:
    pack(root, "random", "train", folder, minilm_tokenizer())


def measured(root: Path, folder: Path) -> tuple[float, float, float]:
    """Seconds, CPU seconds and megabytes at most of packing."""
    began, before = time.perf_counter(), time.process_time()
    packed(root, folder)
    return time.perf_counter() - began, time.process_time() - before, highest()


def killed(root: Path, folder: Path) -> None:
    """Pack, and kill it with SIGKILL once half of the shards are written."""
    shards = -(-len((root / "train.lst").read_text().splitlines()) // SHARD_VIDEOS)
    half = folder.with_name(f".{folder.name}.tmp") / f"features_{shards // 2:03d}.npy"
    process = multiprocessing.get_context("spawn").Process(target=packed, args=(root, folder))
    process.start()
    while not half.exists() and process.is_alive():
        time.sleep(0.01)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL and not folder.exists(), "it was killed before its end"


def pairs_per_second(folder: Path, workers: int) -> float:
    """Pairs drawn from clusters of random videos; the loading processes' start is not counted."""
    narrated, size = open_packed(folder), SETTINGS.videos_per_cluster
    clusters = np.random.default_rng(0).integers(len(narrated), size=(CLUSTERS, size)).tolist()
    batches = ClusterBatches(narrated, clusters, SETTINGS.pairs, 0, 1)
    loader = iter(DataLoader(batches, batch_size=None, num_workers=workers))
    next(loader)
    began, count = time.perf_counter(), 0
    for _ in loader:
        count += size * SETTINGS.pairs.per_video
    return count / (time.perf_counter() - began)


def megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


def bench_packing(root: Path, videos: int) -> tuple[float, float]:
    """CPU seconds of packing, and megabytes of the pack."""
    write(root, videos)
    seconds, cpu, peak = alone(measured, root, root / "packed")
    again = alone(measured, root, root / "packed")[1]
    began = time.perf_counter()
    narrated = open_packed(root / "packed")
    opened, disk = time.perf_counter() - began, megabytes(root / "packed")
    print(f"{len(narrated):,} videos: packed in {seconds:.0f} s ({cpu:.0f} CPU-seconds, {peak:.0f} MB of memory),")
    print(f"  asked again {again:.1f} CPU-seconds, opened in {opened:.2f} s, {disk:,.0f} MB on the disk", flush=True)
    return cpu, disk


def bench_killed(root: Path) -> bool:
    """Whether a killed and continued packing ends with the same bytes."""
    killed(root, root / "continued")
    cpu = alone(measured, root, root / "continued")[1]
    same = filecmp.dircmp(root / "packed", root / "continued")
    _, different, unread = filecmp.cmpfiles(same.left, same.right, same.common_files, shallow=False)
    equal = not (different or unread or same.left_only or same.right_only)
    result = "the same bytes" if equal else "OTHER BYTES"
    print(f"killed at half of the features and continued: {cpu:.0f} CPU-seconds more, {result}", flush=True)
    return equal


def bench_mining(count: int) -> float:
    """CPU seconds of an epoch's mining."""
    vectors = np.random.default_rng(0).standard_normal((count, 768)).astype(np.float32)
    exact = SETTINGS.mining.model_copy(update={"index": "exact"})
    began = time.process_time()
    mine(vectors, SETTINGS.videos_per_cluster, exact, np.random.default_rng(0))
    seconds = time.process_time() - began
    print(f"mining among {count:,} vectors of 768: {seconds:.2f} CPU-seconds", flush=True)
    return seconds


def main(sizes: Sequence[int]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        roots = [Path(folder) / str(size) for size in sizes]
        figures = [bench_packing(root, size) for root, size in zip(roots, sizes, strict=True)]
        equal = bench_killed(roots[-1])
        for workers in (0, 1, 2):
            speed = pairs_per_second(roots[-1] / "packed", workers)
            print(f"{workers} loading processes: {speed:,.0f} pairs a second", flush=True)
    mined = [bench_mining(count) for count in (*sizes, 2 * sizes[-1])]
    cpu, disk = figures[-1]
    more = HOWTO100M / sizes[-1]
    print(
        f"reckoned for {HOWTO100M:,} videos: packing {cpu * more / 3600:.1f} CPU-hours, {disk * more / 2**20:.2f} TB,"
    )
    print(f"  mining {mined[-1] * (more / 2) ** 2 / 60:.0f} CPU-minutes per epoch")
    return int(not equal)


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1:]] or SIZES))
