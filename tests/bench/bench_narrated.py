"""A packed data set of HowTo100M's size: seconds and memory to open it, and what is read from it in a second.

1,000,000 videos of 200 to 600 s with 512 channels and 100 captions of 10 word pieces each. Index and beginnings of the
captions are real, all other arrays are holes in sparse files, so that 1 GB of disk stands for 400 GB; the figures are
therefore those of the format, not of a disk. Memory is the highest resident size less that after the imports. The exit
code is 1 where opening takes longer than the project's target.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from lib.data.packs import SHARD_VIDEOS, RowFile, open_packed
from tests.bench.machine import alone, highest

VIDEOS = 1_000_000
CHANNELS = 512
CAPTIONS, WORDS = 100, 10  # of a video, of a caption
CLIP = 32  # seconds, the longest clip of VideoCLIP
READS = 10_000
OPEN = 5.0  # seconds, at most


def write(folder: Path) -> None:
    """Write the form of `lib/data/packs.py` without its contents."""
    seconds = np.random.default_rng(0).integers(200, 600, VIDEOS, endpoint=True)
    shards = np.arange(VIDEOS) // SHARD_VIDEOS
    rows = np.zeros(VIDEOS, np.int64)
    for shard in range(shards[-1] + 1):
        own = slice(shard * SHARD_VIDEOS, (shard + 1) * SHARD_VIDEOS)
        ends = seconds[own].cumsum()
        rows[own] = ends - seconds[own]
        np.lib.format.open_memmap(folder / f"features_{shard:03d}.npy", "w+", np.float16, (int(ends[-1]), CHANNELS))
    captions = VIDEOS * CAPTIONS
    np.lib.format.open_memmap(folder / "tokens.npy", "w+", np.int32, (captions * WORDS,))
    np.lib.format.open_memmap(folder / "caption_times.npy", "w+", np.float32, (captions, 2))
    starts = RowFile(folder / "token_starts.npy", np.int64)
    starts.append([0])
    for first in range(0, captions, 10**6):
        starts.append(np.arange(first + 1, first + 10**6 + 1) * WORDS)
    starts.close()
    index = {"video": [f"video{number:06d}" for number in range(VIDEOS)], "shard": shards, "row": rows}
    index |= {"seconds": seconds, "caption": np.arange(VIDEOS) * CAPTIONS, "captions": np.full(VIDEOS, CAPTIONS)}
    pd.DataFrame(index).to_parquet(folder / "index.parquet", index=False)
    (folder / "note.json").write_text(json.dumps({"feature_set": "s3d", "feature_dim": CHANNELS}))


def measure(folder: Path) -> list[float]:
    """Seconds and megabytes to open, then tracks and clips per second."""
    pd.Series(["a"])  # imports pyarrow
    before, began = highest(), time.perf_counter()
    narrated = open_packed(folder)
    figures = [time.perf_counter() - began, highest() - before]
    numbers = np.random.default_rng(0).integers(len(narrated), size=READS).tolist()
    began = time.perf_counter()
    for number in numbers:
        track = narrated.track(number)
        np.array(track.tokens)  # read, not only mapped
        np.array(track.start)
    figures.append(READS / (time.perf_counter() - began))
    began = time.perf_counter()
    for number in numbers:
        np.array(narrated.features(number)[:CLIP])
    figures.append(READS / (time.perf_counter() - began))
    return figures


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        alone(write, Path(folder))
        seconds, memory, tracks, clips = alone(measure, Path(folder))
    print(f"{VIDEOS:,} videos, {VIDEOS * CAPTIONS:,} captions: opened in {seconds:.2f} s with {memory:.0f} MB")
    print(f"at random: {tracks:,.0f} tracks a second, {clips:,.0f} clips of {CLIP} s a second")
    print(f"target, {OPEN:g} s to open: {'missed' if seconds > OPEN else 'met'}")
    return int(seconds > OPEN)


if __name__ == "__main__":
    sys.exit(main())
