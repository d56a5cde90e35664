"""Narrated videos in HowTo100M's form, file by file (thesis 2.1.2, 2.5; Miech et al., ICCV 2019).

    <root>/features/<set>/<id>.npy               (T, D) floats, a row a second; <id>.mp4.npy, <id>.webm.npy too
    <root>/raw_caption.json, else caption.json   {"<id>": {"start": [0.5], "end": [2], "text": ["chop it"]}, …}
    <root>/train.lst, val.lst                    an id a line

Captions of a million videos are 10 GB of JSON, so they are read as a stream. Whatever is wrong ends with a
`NarratedError` of one line that names the file. For training `lib/data/packs.py` packs all of it into a few files.

Python's NaN in a file of JSON, which no other parser takes, replaced as the file is read (lib/data/narrated.py).
"""

import re
from typing import BinaryIO
from collections import Counter
from collections.abc import Iterator, Set
from itertools import islice
from pathlib import Path
from typing import Any, Literal
import ijson
import numpy as np


class WithoutNaN:
    """A file of JSON in which NaN is null; for ijson, which reads a piece at a time."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Some bytes, none at the end only. What is behind the last comma waits: it may hold half a NaN."""
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


ENDINGS = (".npy", ".mp4.npy", ".webm.npy")  # the published features keep the ending of the video file
Part = Literal["train", "val"]
CaptionTrack = tuple[str, np.ndarray, np.ndarray, list[str]]  # id; start, end (n,) float32 seconds; texts


class NarratedError(ValueError):
    """Narrated data that cannot be used; the message is one line: which file, what is wrong, how to mend it."""


def read_list(root: Path, part: Part) -> tuple[str, ...]:
    """Ids of the videos of <part>.lst, in its order.

    Raises:
        NarratedError: the file is missing, empty, has a line that is no id, an id twice, or one of the other list.
    """
    path = root / f"{part}.lst"
    videos = _ids(path)
    video, count = Counter(videos).most_common(1)[0]
    if count > 1:
        raise NarratedError(f"{path}: {video} is listed {count} times; keep one line")
    other = root / ("val.lst" if part == "train" else "train.lst")
    if other.exists() and (both := set(videos) & set(_ids(other))):
        raise NarratedError(f"{path}: {min(both)} is in {other.name} too; strike it from one of them")
    return videos


def feature_file(root: Path, feature_set: str, video: str) -> Path:
    """Where the features of a video are.

    Raises:
        NarratedError: there is no such file, or more than one.
    """
    names = [root / "features" / feature_set / f"{video}{ending}" for ending in ENDINGS]
    found = [path for path in names if path.exists()]
    if not found:
        raise NarratedError(f"{names[0]}: missing, nor is there {names[1].name} or {names[2].name}; extract it")
    if len(found) > 1:
        raise NarratedError(f"{found[1]}: {found[0].name} is there too; remove one of them")
    return found[0]


def feature_shape(path: Path) -> tuple[int, int]:
    """Seconds and channels (T, D) of a feature file, from its header.

    Raises:
        NarratedError: it is no whole .npy file of floats (T, D).
    """
    try:
        header = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise NarratedError(f"{path}: not a whole .npy file ({error}); bring or extract it again") from None
    if header.ndim != 2 or header.dtype.kind != "f":
        raise NarratedError(f"{path}: {header.dtype} of shape {header.shape}; expected floats of shape (T, D)")
    return header.shape


def read_features(path: Path) -> np.ndarray:
    """Features of a video, float16 (T, D), all of them finite.

    Raises:
        NarratedError: as `feature_shape`; or a value is NaN, infinite or too large for float16.
    """
    feature_shape(path)
    with np.errstate(over="ignore"):
        features = np.load(path).astype(np.float16, order="C", copy=False)
    bad = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if bad.size:
        raise NarratedError(
            f"{path}: NaN, infinite or beyond float16 in {bad.size} of {len(features)} seconds, first in second"
            f" {bad[0]}; extract it again"
        )
    return features


def caption_file(root: Path) -> Path:
    """raw_caption.json; caption.json, published without stop words, only where there is no other.

    Raises:
        NarratedError: there is neither.
    """
    for name in ("raw_caption.json", "caption.json"):
        if (root / name).exists():
            return root / name
    raise NarratedError(f"{root}: has neither raw_caption.json nor caption.json; bring one")


def caption_tracks(path: Path, wanted: Set[str]) -> Iterator[CaptionTrack]:
    """Captions of the wanted videos, one video after the other in the order of the file, which is read no further.

    A text that is no string is given as "": some of the published ones are NaN.

    Args:
        path: of `caption_file`.
        wanted: ids.

    Yields:
        id; start and end, float32 (n,) in seconds, 0 <= start <= end; n texts.

    Raises:
        NarratedError: no JSON; a video without captions or with two entries; start, end, text of unequal length;
            times that are no numbers, negative or in the wrong order.
    """
    seen: set[str] = set()
    for video, entry in _entries(path):
        if video not in wanted:
            continue
        if video in seen:
            raise NarratedError(f"{path}: {video} has two entries; remove one")
        seen.add(video)
        yield _checked(path, video, entry)
        if len(seen) == len(wanted):
            return
    if missing := wanted - seen:
        raise NarratedError(
            f"{path}: no captions of {len(missing)} listed videos, first {min(missing)}; add them or strike the lines"
        )


def first_tracks(path: Path, count: int) -> list[CaptionTrack]:
    """Captions of the first videos of the file, a look at 10 GB without reading them; faults as in `caption_tracks`."""
    return [_checked(path, video, entry) for video, entry in islice(_entries(path), count)]


def _entries(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as file:
        try:
            yield from ijson.kvitems(WithoutNaN(file), "", use_float=True)
        except ijson.JSONError as error:
            what = " ".join(str(error).split())
            raise NarratedError(f"{path}: not JSON ({what}); bring it again") from None


def _ids(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise NarratedError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise NarratedError(f"{path}: not a text file in UTF-8") from None
    if not lines:
        raise NarratedError(f"{path}: empty; list a video's id a line")
    for number, line in enumerate(lines, start=1):
        if not re.fullmatch(r"[\w-]+", line):
            raise NarratedError(f"{path}: line {number}: {line!r}: expected a video's id such as nVbIUDjzWY4")
    return tuple(lines)


def _checked(path: Path, video: str, entry: Any) -> CaptionTrack:
    fields: list[Any] = [entry.get(name) if isinstance(entry, dict) else None for name in ("start", "end", "text")]
    if not all(isinstance(field, list) for field in fields):
        raise NarratedError(f"{path}: {video}: expected lists start, end and text")
    if len({len(field) for field in fields}) > 1:
        counts = ", ".join(str(len(field)) for field in fields)
        raise NarratedError(f"{path}: {video}: start, end, text have {counts} entries; they must be as many")
    try:
        start, end = (np.array(field, np.float32).reshape(len(field)) for field in fields[:2])
    except (TypeError, ValueError, OverflowError):
        raise NarratedError(f"{path}: {video}: start and end must be numbers, in seconds") from None
    wrong = {
        "start or end is not a finite number": ~(np.isfinite(start) & np.isfinite(end)),
        "it starts before 0 s": start < 0,
        "it ends before it starts": end < start,
    }
    for what, where in wrong.items():
        if where.any():
            first = int(where.argmax())
            raise NarratedError(f"{path}: {video}: caption {first} ({start[first]:g} to {end[first]:g} s): {what}")
    return video, start, end, [text if isinstance(text, str) else "" for text in fields[2]]
