"""Frames of a video, each under its own number whatever is damaged (thesis 2.3.2; Figure 8).

Frame i of the file is always label i. The thesis says that it skipped damaged frames; its loop ended at the first
failed read of a buffer. Here a frame that cannot be decoded is reported, and the last good one stands in for it.
A frame that decodes with visible damage comes as decoded, as in the thesis.

Where the frames of an AVI file lie, from its chunk headers or, where these are damaged, from its index.

A decoder that meets a damaged chunk header looks for the next intact one and numbers the frames on as if none were
lost; then every later frame has its neighbour's label. The file itself knows better: it holds each frame's place twice,
in the chain of chunks (each header says where the next one is) and in the index at its end (`idx1`).
"""

import itertools
import mmap
import re
import shutil
import struct
from pathlib import Path
from typing import NamedTuple
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
import cv2
import numpy as np


FRAME = re.compile(rb"\d\dd[bc]")  # a video frame
OTHER = re.compile(rb"\d\d(wb|tx|pc)|ix\d\d|idx1|JUNK|indx")  # sound, subtitles, palettes, indices, padding
NESTED = (b"LIST", b"RIFF")  # hold chunks; large files have several RIFF parts


class VideoError(ValueError):
    """A video that cannot be read, or whose frames cannot be numbered; the message is one line."""


class Chunk(NamedTuple):
    name: bytes  # e.g. b"00dc": stream 0, compressed frame
    start: int  # byte of the chunk's header
    size: int  # bytes after the 8 of the header

    @property
    def end(self) -> int:
        return self.start + 8 + self.size + self.size % 2


class Layout(NamedTuple):
    """Frames of a file, and what keeps a decoder from seeing them all."""

    count: int  # frames that belong to the video, those cut off included
    broken: tuple[Chunk, ...]  # true headers of frames whose header in the file is damaged


def read_layout(path: Path) -> Layout:
    """Number the frames of an AVI file.

    Raises:
        VideoError: not an AVI file, cut off so that its length is unknown, or both chain and index are damaged.
    """
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: empty; fetch or render the file again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != b"RIFF" or data[8:12] != b"AVI ":
            raise VideoError(f"{path}: not an AVI file; convert it: ffmpeg -i VIDEO -c:v mjpeg -q:v 2 NAME.avi")
        movie = _movie(data)
        if movie < 0:
            raise VideoError(f"{path}: damaged header, no way to the frames; fetch or render the file again")
        found, end = _walk(data, movie + 4)
        if end == len(data) and movie + _header(data, movie - 8).size <= len(data):  # as long as the list says
            return Layout(len(found), ())
        indexed = _index(data, movie)
        if indexed:
            return Layout(len(indexed), tuple(chunk for chunk in indexed if _header(data, chunk.start) != chunk))
        if end < len(data):
            raise VideoError(
                f"{path}: damaged after frame {len(found)}, and so is the index that would place the frames after it; "
                "fetch or render the file again"
            )
        return Layout(_declared(data, movie, len(found), path), ())


def repair(path: Path, broken: tuple[Chunk, ...], copy: Path) -> None:
    """Write a copy of an AVI file whose frames have their true headers again."""
    shutil.copyfile(path, copy)
    with copy.open("r+b") as file:
        for chunk in broken:
            file.seek(chunk.start)
            file.write(struct.pack("<4sI", chunk.name, chunk.size))


def _header(data: mmap.mmap, start: int) -> Chunk:
    return Chunk(data[start : start + 4], start, int.from_bytes(data[start + 4 : start + 8], "little"))


def _movie(data: mmap.mmap) -> int:
    """Where the list of frames begins, by the chain of the header's chunks, as decoders find it; else -1."""
    start = 0
    while start + 12 <= len(data):
        chunk = _header(data, start)
        if chunk.name in NESTED and data[start + 8 : start + 12] == b"movi":
            return start + 8
        start = start + 12 if chunk.name in NESTED else chunk.end
    return -1


def _walk(data: mmap.mmap, start: int) -> tuple[list[Chunk], int]:
    """Follow the chain: the frames, and where it ends (the file's length: whole; more: cut off; less: damaged)."""
    frames: list[Chunk] = []
    while start + 8 <= len(data):
        chunk = _header(data, start)
        if chunk.name in NESTED:
            start += 12
            continue
        if FRAME.fullmatch(chunk.name) and (not frames or chunk.name == frames[0].name):
            if chunk.end > len(data) and data.find(chunk.name, start + 8) >= 0:
                return frames, start  # frames after the end: the size is wrong
            frames.append(chunk)
        elif not OTHER.fullmatch(chunk.name):
            return frames, start
        start = chunk.end
    return frames, start if start == len(data) else len(data) + 1


def _index(data: mmap.mmap, movie: int) -> list[Chunk]:
    """Frames by `idx1`, or nothing where it is absent or contradicts itself."""
    place = data.rfind(b"idx1")
    if place < 0 or _header(data, place).end != len(data):
        return []  # cut off, or of the first part of a file of several
    entries = list(struct.iter_unpack("<4sIII", data[place + 8 : place + 8 + _header(data, place).size // 16 * 16]))
    chunks = [Chunk(name, offset, length) for name, _, offset, length in entries if FRAME.fullmatch(name)]
    if len({name for name, *_ in entries if not OTHER.fullmatch(name)}) != 1:
        return []  # entries of more than one kind: some are damaged
    for base in (movie, 0):  # offsets count from the list or from the file
        moved = [chunk._replace(start=chunk.start + base) for chunk in chunks]
        ordered = all(a.end <= b.start for a, b in itertools.pairwise(moved))
        inside = bool(moved) and moved[0].start >= movie and moved[-1].end <= place
        if ordered and inside and 2 * sum(_header(data, chunk.start) == chunk for chunk in moved) > len(moved):
            return moved
    return []


def _declared(data: mmap.mmap, movie: int, found: int, path: Path) -> int:
    """Frames that a file with its end cut off once had, by its stream header."""
    stream = data.find(b"strh", 0, movie)
    declared = int.from_bytes(data[stream + 40 : stream + 44], "little")  # field dwLength
    if not found <= declared <= 2 * found:
        raise VideoError(
            f"{path}: cut off after {found} frames, and its header speaks of {declared}; fetch or render the file again"
        )
    return declared


TOO_MANY = 0.5  # share of bad frames from which on a file is of no use


class Frames:
    """The frames of a video in order: `len(frames)` arrays (H, W, 3), uint8, BGR as OpenCV decodes.

    The file is decoded once to learn which frames are bad, and once more each time it is iterated over.

    Attributes:
        path: the file.
        fps: frames a second, by its header.
        bad: numbers of the frames that cannot be decoded; the last good frame before stands in for each (at the start
            of the video: the first good one).
    """

    def __init__(self, path: Path, layout: Layout):
        self.path = path
        self._layout = layout
        self.fps, self._numbers = self._survey()
        good = set(self._numbers)
        self.bad = tuple(number for number in range(len(self)) if number not in good)
        if not good or len(self.bad) >= TOO_MANY * len(self):
            raise VideoError(
                f"{path}: {len(good)} of {len(self)} frames can be decoded; fetch or render the file again"
            )

    def __len__(self) -> int:
        return self._layout.count

    def __iter__(self) -> Iterator[np.ndarray]:
        done = 0
        frame = None
        with self._capture() as capture:
            for number in self._numbers:
                last, frame = frame, self._next(capture)
                while done < number:
                    yield frame if last is None else last
                    done += 1
                yield frame
                done += 1
        while done < len(self) and frame is not None:
            yield frame
            done += 1

    def _survey(self) -> tuple[float, list[int]]:
        """Decode without keeping anything: frames a second, and the number of each frame that can be decoded."""
        times: list[float] = []
        failures = 0
        with self._capture() as capture:
            fps = capture.get(cv2.CAP_PROP_FPS)
            while failures <= len(self) - len(times):  # a bad frame is one failure; at the end each attempt is one
                if capture.grab():
                    times.append(capture.get(cv2.CAP_PROP_POS_MSEC) * fps / 1000)
                else:
                    failures += 1
        if len(times) == len(self):
            return fps, list(range(len(self)))
        return fps, self._number(np.array(times))

    def _number(self, times: np.ndarray) -> list[int]:
        """Numbers of the frames that came, from their time stamps in frames.

        In an AVI file a time stamp counts chunks. A decoder of B-frames gives each frame a later one's stamp, and
        stamp 0 to the last.
        """
        numbers = np.rint(times).astype(int)
        lag = 0
        while lag + 1 < len(numbers) and numbers[-1 - lag] == 0:
            lag += 1
        numbers = np.concatenate([numbers[: len(numbers) - lag] - lag, len(self) - lag + np.arange(lag)])
        if len(numbers) and not (numbers[0] >= 0 and numbers[-1] < len(self) and (np.diff(numbers) > 0).all()):
            raise VideoError(
                f"{self.path}: {len(numbers)} of {len(self)} frames can be decoded, and their time stamps do not say "
                "which; fetch or render the file again"
            )
        return numbers.tolist()

    def _next(self, capture: cv2.VideoCapture) -> np.ndarray:
        """The next frame that can be decoded: the survey has counted them, so that there is one."""
        for _ in range(len(self) + 1):
            good, frame = capture.read()
            if good:
                return frame
        raise VideoError(f"{self.path}: changed while it was read")

    @contextmanager
    def _capture(self) -> Iterator[cv2.VideoCapture]:
        """The file, or a repaired copy of it, opened. One thread, so that every pass decodes the same frames."""
        with tempfile.TemporaryDirectory() as folder:
            path = self.path
            if self._layout.broken:
                path = Path(folder) / "repaired.avi"
                repair(self.path, self._layout.broken, path)
            capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
            if not capture.isOpened():
                raise VideoError(f"{self.path}: OpenCV cannot open it (damaged header or unknown codec)")
            try:
                yield capture
            finally:
                capture.release()


def read_video(path: Path) -> Frames:
    """Open an AVI video and find its bad frames.

    Raises:
        VideoError: no such file, not a video, or damaged so much that frames cannot be told apart.
    """
    if not path.is_file():
        raise VideoError(f"{path}: no such video")
    return Frames(path, read_layout(path))


def read_frames(path: Path, numbers: Sequence[int]) -> list[np.ndarray]:
    """Some frames of a video in the order asked for, (H, W, 3) uint8 each, RGB as figures show them.

    Raises:
        VideoError: as `read_video`, or a number that the video does not have.
    """
    frames = read_video(path)
    missing = [number for number in numbers if not 0 <= number < len(frames)]
    if missing:
        raise VideoError(f"{path}: has frames 0 to {len(frames) - 1}, asked for {missing}")
    last = max(numbers, default=-1)
    wanted = {number: frame for number, frame in enumerate(islice(frames, last + 1)) if number in numbers}
    return [cv2.cvtColor(wanted[number], cv2.COLOR_BGR2RGB) for number in numbers]
