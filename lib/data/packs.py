"""Narrated data packed once for training: a few files that are mapped, not read (thesis 2.1.2, 2.5).

HowTo100M (Miech et al., ICCV 2019) has a million videos with a hundred captions each. `pack` writes them so:

    features_000.npy …   float16 (N, D), up to 4096 videos one after the other, one row per second
    tokens.npy           int32, word pieces of all captions one after the other, without special tokens
    token_starts.npy     int64 (captions + 1), where each caption begins in tokens.npy
    caption_times.npy    float32 (captions, 2), start and end in seconds
    index.parquet        one row per video: video, shard, row, seconds, caption, captions
    left_out.csv         video, reason: listed videos without anything usable
    note.json            feature_set, feature_dim, key, and counts of captions

Videos are read one by one, captions as a stream, and every array is appended to its file, so that memory holds the list
and a few numbers per video. What would be a fault in any data set raises a `DatasetError`; what is common in a million
videos from the web is left out and counted: captions without words, and videos with no other captions. Captions beyond
the features' end keep their times, as in MMPT: cutting them would move the clips drawn for them (`overlapping_pair`).
"""

import hashlib
import json
import mmap
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lib.core.files import atomic, key, read_json, write_json
from lib.core.processes import track
from lib.data.files import DatasetError, RowFile, array_header, check_width
from lib.data.narrated import (
    CaptionTrack,
    Part,
    caption_file,
    caption_tracks,
    feature_files,
    read_features,
    read_list,
    without_repeats,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

MADE_BY = ("data.narrated", "data.packs")
SHARD_VIDEOS = 4096
CAPTION_TOKENS = 32  # as in MMPT, whose other cut, at 96 characters of text, is not copied: it seems a slip
BATCH_VIDEOS = 16  # given to the tokenizer at once: 1,300 captions of HowTo100M


def pack(
    root: Path,
    feature_set: str,
    part: Part,
    folder: Path,
    tokenizer: "PreTrainedTokenizerFast",
    deduplicate: bool = False,
) -> None:
    """Write a part of narrated data into `folder`, whole or not at all; one process at a time.

    A finished pack of the same inputs is left alone, an older one is replaced, a killed one is continued: its captions
    and complete shards lie in .<folder>.tmp. Inputs are the contents of the list, the tokenizer and the code; of the
    captions and the feature files (ten gigabytes and a million files, too much to read) only name, size and time of
    change.

    Args:
        root: narrated data, see `lib/data/narrated.py`.
        feature_set: folder in features/.
        deduplicate: remove what captions repeat of each other (`without_repeats`).

    Raises DatasetError: an input is missing or cannot be used; nothing is written then.
    """
    videos = read_list(root, part)
    paths = feature_files(root, feature_set, videos)
    words = json.loads(tokenizer.backend_tokenizer.to_str())
    words["truncation"] = words["padding"] = None  # every call of a tokenizer changes these
    values = [feature_set, _states([caption_file(root), *paths]), words, deduplicate]
    identity = key(values, code=MADE_BY, files=[root / f"{part}.lst"])
    if _written(folder, identity):
        return
    temporary = folder.with_name(f".{folder.name}.tmp")
    tracks = caption_tracks(caption_file(root), set(videos))
    try:
        if not _written(temporary, identity):
            tracks = map(without_repeats, tracks) if deduplicate else tracks
            about = {"feature_set": feature_set, "key": identity}
            _write_index(temporary, about, videos, paths, tracks, tokenizer)
        index, about = pd.read_parquet(temporary / "index.parquet"), read_json(temporary / "note.json")
        if index.empty:
            raise DatasetError(f"{root / part}.lst: no video can be used: no caption has words; add others")
        _write_features(temporary, index, dict(zip(videos, paths, strict=True)), about["feature_dim"])
    except DatasetError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _publish(temporary, folder)
    counts = about["captions"]
    print(
        f"{folder}: {len(index):,} of {len(videos):,} videos (the others and why: left_out.csv), {counts['kept']:,}"
        f" captions, {counts['after_the_end']:,} of them after their video's end;"
        f" {counts['without_words']:,} without words left out",
        file=sys.stderr,
    )


def _states(paths: Iterable[Path]) -> str:
    """Digest of names, sizes and times of change."""
    states = hashlib.sha256()
    for path in paths:
        state = path.stat()
        states.update(f"{path.name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return states.hexdigest()


def _write_index(
    folder: Path,
    about: dict,
    videos: Sequence[str],
    paths: Sequence[Path],
    tracks: Iterator[CaptionTrack],
    tokenizer: "PreTrainedTokenizerFast",
) -> None:
    """Write all but the features, note.json last."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    seconds, dim = _measure(paths)
    index = pd.DataFrame({"video": videos, "seconds": seconds})
    counts = _write_captions(track(tracks, "captions, video", len(videos)), index, folder, tokenizer)
    left_out = index.loc[index["captions"] == 0, ["video"]].assign(reason="no caption has words")
    left_out.to_csv(folder / "left_out.csv", index=False)
    index = index[index["captions"] > 0].reset_index(drop=True)
    index["shard"] = index.index // SHARD_VIDEOS
    index["row"] = index.groupby("shard")["seconds"].cumsum() - index["seconds"]
    index.to_parquet(folder / "index.parquet", index=False)
    write_json(folder / "note.json", about | {"feature_dim": dim, "captions": counts})


def _written(folder: Path, identity: str) -> bool:
    """Whether note.json exists and belongs to these inputs."""
    return read_json(folder / "note.json", optional=True).get("key") == identity


def _measure(paths: Sequence[Path]) -> tuple[np.ndarray, int]:
    """Lengths of the videos in seconds, int64 (videos,), and D, which must be the same in all of them."""
    seconds = np.zeros(len(paths), np.int64)
    dims: dict[int, Path] = {}
    for number, path in enumerate(track(paths, "lengths, video")):
        seconds[number], dim = array_header(path, "(T, D)").shape
        check_width(dims, dim, path)
    return seconds, next(iter(dims))


def _write_captions(
    tracks: Iterator[CaptionTrack], index: pd.DataFrame, folder: Path, tokenizer: "PreTrainedTokenizerFast"
) -> Counter[str]:
    """Write words and times of captions; add caption and captions to the index. Returns counts of captions."""
    numbers = {video: number for number, video in enumerate(index["video"])}
    seconds = index["seconds"].to_numpy()
    first, kept = np.zeros((2, len(index)), np.int64)
    counts = Counter(kept=0, without_words=0, after_the_end=0)
    with (
        closing(RowFile(folder / "tokens.npy", np.int32)) as tokens,
        closing(RowFile(folder / "token_starts.npy", np.int64)) as token_starts,
        closing(RowFile(folder / "caption_times.npy", np.float32, 2)) as times,
    ):
        token_starts.append([0])
        for video, start, end, words in _tokenized(tracks, tokenizer):
            number = numbers[video]
            lengths = np.array([len(caption) for caption in words], np.int64)
            keep = np.flatnonzero(lengths)
            keep = keep[np.argsort(start[keep], kind="stable")]  # pairs are drawn from runs in the order of time
            first[number], kept[number] = times.rows, len(keep)
            times.append(np.stack((start, end), axis=1)[keep])
            token_starts.append(tokens.rows + np.cumsum(lengths[keep]))
            tokens.append(np.fromiter(chain.from_iterable(words[caption] for caption in keep), np.int32))
            counts["kept"] += len(keep)
            counts["without_words"] += len(lengths) - len(keep)
            counts["after_the_end"] += int((start[keep] >= seconds[number]).sum())
    index["caption"], index["captions"] = first, kept
    return counts


def _tokenized(
    tracks: Iterator[CaptionTrack], tokenizer: "PreTrainedTokenizerFast"
) -> Iterator[tuple[str, np.ndarray, np.ndarray, list[list[int]]]]:
    """Yield the tracks with word pieces in place of texts; each call of the tokenizer gets many captions."""
    while batch := list(islice(tracks, BATCH_VIDEOS)):
        texts = [text for *_, said in batch for text in said]
        encoded = tokenizer(texts or [""], add_special_tokens=False, return_attention_mask=False, verbose=False)
        pieces = (caption[:CAPTION_TOKENS] for caption in encoded["input_ids"])
        for video, start, end, said in batch:
            yield video, start, end, list(islice(pieces, len(said)))


def _write_features(folder: Path, index: pd.DataFrame, paths: Mapping[str, Path], dim: int) -> None:
    """Write the shards of features; those that a killed run completed are kept."""
    for unfinished in folder.glob(".*"):
        unfinished.unlink()
    shards = {folder / f"features_{number:03d}.npy": videos for number, videos in index.groupby("shard")}
    todo = {path: videos for path, videos in shards.items() if not path.exists()}
    names = [name for videos in todo.values() for name in videos["video"]]
    progress = track(names, "features, video", len(index), len(index) - len(names))
    for path, videos in todo.items():
        with atomic(path) as unfinished, closing(RowFile(unfinished, np.float16, dim)) as file:
            for video in islice(progress, len(videos)):
                file.append(read_features(paths[video]))
            if file.rows != videos["seconds"].sum():
                raise DatasetError(f"{paths[videos['video'].iloc[0]].parent}: changed while it was packed; pack again")


def _publish(temporary: Path, folder: Path) -> None:
    """Give the finished folder its name, safely against a crash of the machine."""
    for path in temporary.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)  # a folder that is not empty cannot be replaced
    temporary.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True, eq=False)
class Track:
    """Captions of a video; the word pieces of caption i are tokens[bounds[i] : bounds[i + 1]]."""

    start: np.ndarray  # float32 (n,), seconds
    end: np.ndarray  # the same, not before the start; both may lie after the video's last second
    tokens: np.ndarray  # int32, word pieces of all captions
    bounds: np.ndarray  # int64 (n + 1,)

    @property
    def lengths(self) -> np.ndarray:
        """Word pieces of each caption, int64 (n,), at least one."""
        return np.diff(self.bounds)


@dataclass(frozen=True, eq=False)
class Narrated:
    """Packed videos, numbered in the order of their list; the files are reopened in a process that is sent this."""

    folder: Path  # of the pack
    videos: pd.Index  # ids
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
        """Features of a video, float16 (T, D), one row per second; mapped, read-only."""
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
    """Map what `pack` wrote; only the index is read. Raises DatasetError: no finished pack."""
    folder = folder.absolute()
    try:
        note = read_json(folder / "note.json")
    except FileNotFoundError:
        raise DatasetError(f"{folder / 'note.json'}: missing, so this is no finished pack; pack again") from None
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
    mapping.madvise(mmap.MADV_RANDOM)  # or the system would read megabytes around each page
    return mapped
