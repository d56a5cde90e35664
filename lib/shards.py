"""Packed narrated data for training: a few files that are mapped, not read (thesis 2.1.2, 2.5).

HowTo100M (Miech et al., ICCV 2019) has a million videos with a hundred captions each. `lib/packing.py` writes them so:

    features_000.npy …   float16 (N, D), up to 4096 videos one after the other, a row a second
    tokens.npy           int32, word pieces of all captions one after the other, without special tokens
    token_starts.npy     int64 (captions + 1), where each caption begins in tokens.npy
    caption_times.npy    float32 (captions, 2), start and end in seconds
    index.parquet        a row a video: video, shard, row, seconds, caption, captions
    left_out.csv         video, reason: listed videos of which nothing could be used
    note.json            feature_set, feature_dim, key, and what became of the captions
"""

import json
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.narrated import NarratedError


@dataclass(frozen=True, eq=False)
class Track:
    """Captions of a video.

    Attributes:
        start: float32 (n,), seconds.
        end: float32 (n,), seconds, not before the start and not after the video's last second.
        tokens: int32, word pieces of all of them; those of caption i are tokens[bounds[i] : bounds[i + 1]].
        bounds: int64 (n + 1,).
    """

    start: np.ndarray
    end: np.ndarray
    tokens: np.ndarray
    bounds: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Word pieces of each caption, int64 (n,), at least one."""
        return np.diff(self.bounds)


@dataclass(frozen=True, eq=False)
class Narrated:
    """Packed videos, numbered in the order of their list. Sent to another process it is opened there anew.

    Attributes:
        folder: of the pack.
        videos: ids.
        feature_set: name of the features.
        feature_dim: D.
    """

    folder: Path
    videos: pd.Index
    feature_set: str
    feature_dim: int
    _index: dict[str, np.ndarray]
    _features: tuple[np.memmap, ...]
    _tokens: np.ndarray
    _token_starts: np.ndarray
    _times: np.ndarray

    def __len__(self) -> int:
        return len(self.videos)

    def __reduce__(self):
        return open_packed, (self.folder,)  # the default would send the contents of the maps

    def features(self, number: int) -> np.ndarray:
        """Features of a video, float16 (T, D), a row a second; mapped, read-only."""
        shard = self._features[self._index["shard"][number]]
        row, seconds = self._index["row"][number], self._index["seconds"][number]
        first, last = (int(shard.offset + second * shard.strides[0]) for second in (row, row + seconds))
        first -= first % mmap.PAGESIZE
        mapping: Any = shard.base
        mapping.madvise(mmap.MADV_WILLNEED, first, last - first)  # one read of the disk for the whole video
        return shard[row : row + seconds].view(np.ndarray)

    def track(self, number: int) -> Track:
        """Captions of a video, at least one; times and tokens mapped, read-only."""
        first = self._index["caption"][number]
        last = first + self._index["captions"][number]
        starts = self._token_starts[first : last + 1]
        start, end = self._times[first:last].T
        return Track(start, end, self._tokens[starts[0] : starts[-1]], starts - starts[0])


def open_packed(folder: Path) -> Narrated:
    """Map what `lib.packing.pack` wrote; of a million videos only the index is read.

    Raises:
        NarratedError: there is no finished pack.
    """
    folder = folder.absolute()
    try:
        note = json.loads((folder / "note.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NarratedError(f"{folder / 'note.json'}: missing, so this is no finished pack; pack again") from None
    index = pd.read_parquet(folder / "index.parquet")
    columns = {name: index[name].to_numpy() for name in ("shard", "row", "seconds", "caption", "captions")}
    shards = tuple(_map(folder / f"features_{shard:03d}.npy") for shard in range(columns["shard"].max() + 1))
    arrays = (_map(folder / f"{name}.npy").view(np.ndarray) for name in ("tokens", "token_starts", "caption_times"))
    return Narrated(
        folder, pd.Index(index["video"]), note["feature_set"], note["feature_dim"], columns, shards, *arrays
    )


def _map(path: Path) -> np.memmap:
    mapped = np.load(path, mmap_mode="r")
    mapping: Any = mapped.base
    mapping.madvise(mmap.MADV_RANDOM)  # else the system reads up to some megabytes around each page asked for
    return mapped
