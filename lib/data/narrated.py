"""Narrated videos in HowTo100M's form, file by file (thesis 2.1.2, 2.5; Miech et al., ICCV 2019).

    <root>/features/<set>/<id>.npy               (T, D) floats, one row per second; also <id>.mp4.npy, <id>.webm.npy
    <root>/raw_caption.json, else caption.json   {"<id>": {"start": [0.5], "end": [2], "text": ["chop it"]}, …}
    <root>/train.lst, val.lst                    one id per line

Captions of a million videos are 10 GB of JSON, so they are read as a stream. Faults raise a one-line `DatasetError`
that names the file. For training, `lib/data/packs.py` packs everything into a few files.
"""

import os
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal

import ijson
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from lib.core.files import write_text
from lib.data.files import DatasetError, array_header, check_finite, read_text

ENDINGS = (".npy", ".mp4.npy", ".webm.npy")  # the published features keep the ending of the video file
Part = Literal["train", "val"]
CaptionTrack = tuple[str, np.ndarray, np.ndarray, list[str]]  # id; start, end (n,) float32 seconds; texts


class WithoutNaN:
    """A JSON file with Python's NaN, which no other parser accepts, replaced by null; ijson reads it piece by piece."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return some bytes; none only at the end. What follows the last comma is held back: it may be half a NaN."""
        ready = b""
        while not ready and (data := self._file.read(size)):
            text = self._rest + data
            if b"NaN" in text:
                text = re.sub(rb"([\[,]\s*)NaN(?=\s*[,\]])", rb"\1null", text)
            cut = max(text.rfind(b","), 0)
            ready, self._rest = text[:cut], text[cut:]
        if not ready:
            ready, self._rest = self._rest, b""
        return ready


def read_list(root: Path, part: Part) -> tuple[str, ...]:
    """Read the videos' ids from <part>.lst, in its order.

    Raises DatasetError: a line is no id, or an id is listed twice or in the other list too.
    """
    path = root / f"{part}.lst"
    videos = _ids(path)
    video, count = Counter(videos).most_common(1)[0]
    if count > 1:
        raise DatasetError(f"{path}: {video} is listed {count} times; keep one line")
    other = root / ("val.lst" if part == "train" else "train.lst")
    if other.exists() and (both := set(videos) & set(_ids(other))):
        raise DatasetError(f"{path}: {min(both)} is in {other.name} too; remove it from one of them")
    return videos


def split_lists(table: Path, root: Path, validation: int = 4000) -> tuple[int, int]:
    """Write train.lst and val.lst as the thesis's code split HowTo100M: stratified by category, random state 37.

    Its split cannot be reproduced exactly, because it is not known which videos it had.

    Args:
        table: HowTo100M_v1.csv, with columns video_id and category_1.
        root: folder of the lists. If it holds features, only videos with features in every set are listed.

    Returns:
        Numbers of videos for training and for validation.

    Raises DatasetError: a list exists already, or the table is another one or cannot be split in this way.
    """
    paths = [root / "train.lst", root / "val.lst"]
    if existing := [path for path in paths if path.exists()]:
        raise DatasetError(f"{existing[0]}: exists already; remove it to split again")
    try:
        videos = pd.read_csv(table, usecols=["video_id", "category_1"], dtype=str).dropna().drop_duplicates("video_id")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{table}: not HowTo100M_v1.csv ({' '.join(str(error).split())}); fetch it again") from None
    sets = [{file.name.split(".")[0] for file in folder.iterdir()} for folder in root.glob("features/[!.]*")]
    if sets:
        videos = videos[videos["video_id"].isin(set.intersection(*sets))]
    options = {"test_size": validation, "random_state": 37, "stratify": videos["category_1"]}
    try:
        parts = train_test_split(videos["video_id"].tolist(), **options)
    except ValueError as error:
        raise DatasetError(f"{table}: {len(videos)} videos with features cannot be split ({error})") from None
    for path, part in zip(paths, parts, strict=True):
        write_text(path, "".join(f"{video}\n" for video in part))
    return len(parts[0]), len(parts[1])


def feature_file(root: Path, feature_set: str, video: str) -> Path:
    """Path of a video's features. Raises DatasetError: there is no such file, or more than one."""
    folder = root / "features" / feature_set
    return _only(folder, video, {f"{video}{ending}" for ending in ENDINGS if (folder / f"{video}{ending}").exists()})


def feature_files(root: Path, feature_set: str, videos: Iterable[str]) -> list[Path]:
    """Paths of many videos' features, by listing the folder once: `feature_file` is slow on a network disk.

    Raises DatasetError: a video has no file, or more than one.
    """
    folder = root / "features" / feature_set
    present = set(os.listdir(folder)) if folder.is_dir() else set()
    return [_only(folder, video, present) for video in videos]


def _only(folder: Path, video: str, present: Set[str]) -> Path:
    names = [f"{video}{ending}" for ending in ENDINGS]
    found = [name for name in names if name in present]
    if not found:
        raise DatasetError(f"{folder / names[0]}: missing, as are {names[1]} and {names[2]}; extract it")
    if len(found) > 1:
        raise DatasetError(f"{folder / found[1]}: {found[0]} exists too; remove one of them")
    return folder / found[0]


def read_features(path: Path) -> np.ndarray:
    """Read a video's features, float16 (T, D), one row per second.

    Raises DatasetError: not such an array, or a value is NaN, infinite or too large for float16.
    """
    header = array_header(path, "(T, D)")
    with np.errstate(over="ignore"):
        features = np.array(header, np.float16, order="C")
    check_finite(features, "second", path, "NaN, infinite or beyond float16")
    return features


def caption_file(root: Path) -> Path:
    """Path of raw_caption.json, or else of caption.json, which was published without stop words.

    Raises DatasetError: neither exists.
    """
    for name in ("raw_caption.json", "caption.json"):
        if (root / name).exists():
            return root / name
    raise DatasetError(f"{root}: has neither raw_caption.json nor caption.json; add one")


def caption_tracks(path: Path, wanted: Set[str]) -> Iterator[CaptionTrack]:
    """Yield the captions of the wanted videos in the order of the file, which is read no further than necessary.

    A text that is not a string becomes "": some published ones are NaN. For all times, in seconds, 0 <= start <= end.

    Raises:
        DatasetError: not JSON; a video without captions or with two entries; start, end, text of unequal length;
            times that are not numbers, negative or in the wrong order.
    """
    seen: set[str] = set()
    for video, entry in _entries(path):
        if video not in wanted:
            continue
        if video in seen:
            raise DatasetError(f"{path}: {video} has two entries; remove one")
        seen.add(video)
        yield _checked(path, video, entry)
        if len(seen) == len(wanted):
            return
    if missing := wanted - seen:
        raise DatasetError(
            f"{path}: no captions of {len(missing)} listed videos, first {min(missing)}; add them or remove the lines"
        )


def first_tracks(path: Path, count: int) -> list[CaptionTrack]:
    """Read the captions of the first videos of a file, without its other 10 GB; errors as in `caption_tracks`."""
    return [_checked(path, video, entry) for video, entry in islice(_entries(path), count)]


def tracks_of_csv(folder: Path) -> list[CaptionTrack]:
    """Read captions kept in one file per video, <id>.csv with columns start, end (seconds) and text.

    MIL-NCE's repository has those of 100 videos in this form (`python -m lib.fetch howto100m_captions`).

    Raises DatasetError: no such file, other columns, or a fault as in `caption_tracks`.
    """
    tracks = []
    for path in sorted(folder.glob("*.csv")):
        try:
            table = pd.read_csv(path, usecols=["start", "end", "text"], dtype={"text": str}, keep_default_na=False)
        except ValueError as error:
            raise DatasetError(f"{path}: expected columns start, end and text ({error}); fetch it again") from None
        tracks.append(_checked(path, path.stem, table.to_dict("list")))
    if not tracks:
        raise DatasetError(f"{folder}: has no <id>.csv; `python -m lib.fetch howto100m_captions` fetches some")
    return tracks


def without_repeats(track: CaptionTrack) -> CaptionTrack:
    """Remove from each caption what it repeats of the one before it in time (the rule of VideoCLIP's code).

    YouTube's automatic captions roll: each repeats the end of the one before. Read as they are, most words would be
    read twice, and the text of a clip would also occur in that of its neighbours. The rule compares characters, not
    words, so a single letter with which one caption ends and the next begins also counts as an overlap.

    - A blank caption is dropped.
    - A caption that the previous one ends with only extends the time of that one.
    - A caption that begins with the whole previous one replaces it and takes over its time.
    - Otherwise, the shortest beginning of a caption that the previous one ends with is kept in only one of the two, by
      the toss of a coin. The coin depends on the video's id alone, so packing again gives the same result.

    >>> times = np.array([0, 2, 4], np.float32)
    >>> video, start, end, texts = without_repeats(("a", times, times + 3, ["cut", "cut the", "cut the egg"]))
    >>> start.tolist(), end.tolist(), texts
    ([0.0], [7.0], ['cut the egg'])
    """
    video, starts, ends, texts = track
    coin = random.Random(video)
    kept: list[tuple[float, float, str]] = []
    for place in np.argsort(starts, kind="stable"):
        start, end, text = float(starts[place]), float(ends[place]), " ".join(texts[place].split())
        if not text:
            continue
        earlier, later, said = kept[-1] if kept else (start, end, "")
        if said.endswith(text):
            kept[-1] = earlier, max(later, end), said
        elif said and text.startswith(said):
            kept[-1] = earlier, max(later, end), text
        elif not (size := _overlap(said, text)):
            kept.append((start, end, text))
        elif coin.random() < 0.5:
            later = max(later, start)
            kept[-1] = earlier, later, said
            if rest := text[size:].strip():
                kept.append((later, max(end, later), rest))
        else:
            left = said[:-size].strip()
            kept[-1:] = [(earlier, max(earlier, min(later, start)), left)] if left else []
            kept.append((start, end, text))
    times = np.array([(start, end) for start, end, _ in kept], np.float32).reshape(-1, 2)
    return video, times[:, 0], times[:, 1], [text for *_, text in kept]


def _overlap(said: str, text: str) -> int:
    """Length of the shortest beginning of `text` that `said` ends with; 0 if there is none."""
    return next((size for size in range(1, min(len(said), len(text)) + 1) if said.endswith(text[:size])), 0)


def _entries(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as file:
        try:
            yield from ijson.kvitems(WithoutNaN(file), "", use_float=True)
        except ijson.JSONError as error:
            what = " ".join(str(error).split())
            raise DatasetError(f"{path}: not JSON ({what}); fetch it again") from None


def _ids(path: Path) -> tuple[str, ...]:
    lines = read_text(path).splitlines()
    for number, line in enumerate(lines, start=1):
        if not re.fullmatch(r"[\w-]+", line):
            raise DatasetError(f"{path}: line {number}: {line!r}: expected a video's id such as nVbIUDjzWY4")
    return tuple(lines)


def _checked(path: Path, video: str, entry: Any) -> CaptionTrack:
    fields: list[Any] = [entry.get(name) if isinstance(entry, dict) else None for name in ("start", "end", "text")]
    if not all(isinstance(field, list) for field in fields):
        raise DatasetError(f"{path}: {video}: expected lists start, end and text")
    if len({len(field) for field in fields}) > 1:
        counts = ", ".join(str(len(field)) for field in fields)
        raise DatasetError(f"{path}: {video}: start, end, text have {counts} entries; the numbers must agree")
    try:
        start, end = (np.array(field, np.float32).reshape(len(field)) for field in fields[:2])
    except (TypeError, ValueError, OverflowError):
        raise DatasetError(f"{path}: {video}: start and end must be numbers, in seconds") from None
    wrong = {
        "start or end is not a finite number": ~(np.isfinite(start) & np.isfinite(end)),
        "it starts before 0 s": start < 0,
        "it ends before it starts": end < start,
    }
    for what, where in wrong.items():
        if where.any():
            first = int(where.argmax())
            raise DatasetError(f"{path}: {video}: caption {first} ({start[first]:g} to {end[first]:g} s): {what}")
    return video, start, end, [text if isinstance(text, str) else "" for text in fields[2]]
