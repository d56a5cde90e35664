"""Frames of a video, each under its own number, whatever is damaged (thesis 2.3.2; Figure 8).

Frame i of the file is always label i. The thesis says that it skipped damaged frames; its loop ended at the first
failed read of a buffer. Here a frame that cannot be decoded is reported, and the last good one stands in for it.
A frame that decodes with visible damage is used as decoded, as in the thesis.

A decoder that meets a damaged chunk header looks for the next intact one and goes on numbering as if no frame were
lost; every later frame then has its neighbour's label. The AVI file holds each frame's place twice: in the chain of
chunks (each header says where the next one is) and in the index at its end (`idx1`).
"""

import itertools
import mmap
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

NESTED = (b"LIST", b"RIFF")  # hold chunks; large files have several RIFF parts
PRINTABLE = re.compile(rb"[ -~]{4}")
NOT_ZERO = re.compile(rb"[^\0]")
TOO_MANY = 0.5  # share of bad frames above which a file is rejected
CONVERT = "convert it: ffmpeg -i VIDEO -c:v mjpeg -q:v 2 NAME.avi"
TRY = "import cv2, sys; cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG).read()"
TRIED: set[bytes] = set()  # formats that the decoder has survived
NOTES = "REPORT_DECODING"  # environment: a folder with a note of each file being decoded, should a process die of it


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
    form: bytes  # size and codec, from the header
    repeats: tuple[int, ...] = ()  # numbers of empty chunks: these frames repeat the one before
    broken: tuple[Chunk, ...] = ()  # true headers of frames whose header in the file is damaged


class Avi:
    """A mapped AVI file: its first video stream and the two ways to that stream's frames.

    Raises VideoError: not an AVI file, or uncompressed video in a form on which OpenCV crashes.
    """

    def __init__(self, path: Path, data: mmap.mmap):
        self.path, self.data = path, data
        if data[:4] != b"RIFF" or data[8:12] != b"AVI ":
            raise VideoError(f"{path}: not an AVI file; {CONVERT}")
        self.movie = self._movie()
        streams = [match.start() for match in re.finditer(b"strh", data[: self.movie])]
        kinds = [data[at + 8 : at + 12] for at in streams]
        own = kinds.index(b"vids") if b"vids" in kinds else 0
        others = "|".join(f"{number:02}" for number in range(len(kinds)) if number != own) or "(?!)"
        self.frame = re.compile(rf"{own:02}d[bc]".encode())
        # Palettes, other streams (sound, subtitles, a second video), indices, padding
        self.other = re.compile(rf"{own:02}pc|({others})[a-z]{{2}}|ix\d\d|idx1|JUNK|indx|rec ".encode())
        stream = streams[own] if streams else 0
        self.declared = int.from_bytes(data[stream + 40 : stream + 44], "little")  # field dwLength
        form = data.find(b"strf", stream, self.movie)
        self.form = data[form + 8 : form + 48]
        height = int.from_bytes(self.form[8:12], "little", signed=True)
        if form >= 0 and self.form[16:20] in (bytes(4), b"DIB ", b"RGB ") and height > 0:
            raise VideoError(f"{path}: uncompressed, rows from bottom to top, on which OpenCV crashes; {CONVERT}")

    def header(self, start: int) -> Chunk:
        return Chunk(self.data[start : start + 4], start, int.from_bytes(self.data[start + 4 : start + 8], "little"))

    def after_zeros(self, start: int) -> int:
        """Place where padding with zeros ends, an even number; the file's length if nothing follows."""
        found = NOT_ZERO.search(self.data, start)
        return found.start() - found.start() % 2 if found else len(self.data)

    def _movie(self) -> int:
        """Place where the list of frames begins, found along the header's chain of chunks, as decoders do."""
        start = 0
        while start + 12 <= len(self.data):
            chunk = self.header(start)
            if chunk.name in NESTED and self.data[start + 8 : start + 12] == b"movi":
                return start + 8
            if chunk.name == bytes(4):
                start = max(start + 4, self.after_zeros(start))
            else:
                start = start + 12 if chunk.name in NESTED else chunk.end
        raise VideoError(f"{self.path}: damaged header, its frames cannot be located; fetch or render the file again")

    def walk(self) -> tuple[list[Chunk], int, int | None]:
        """Follow the chain of chunks.

        Returns the frames; where the chain ends (the file's length: whole; more: cut off; less: damaged); and how many
        frames come before the first padding or foreign chunk, which may be a damaged header (None: there is none).
        """
        frames: list[Chunk] = []
        start, doubt = self.movie + 4, None
        while start + 8 <= len(self.data):
            chunk = self.header(start)
            if chunk.name in NESTED:
                start += 12
                continue
            if chunk.name == bytes(4):
                following = self.after_zeros(start)
                if following <= start:
                    return frames, start, doubt
                if doubt is None and following < len(self.data):
                    doubt = len(frames)
                start = following
                continue
            if self.frame.fullmatch(chunk.name):
                if chunk.end > len(self.data) and self.data.find(chunk.name, start + 8) >= 0:
                    return frames, start, doubt  # frames after the end: the size is wrong
                frames.append(chunk)
            elif not self.other.fullmatch(chunk.name):
                if not PRINTABLE.fullmatch(chunk.name):
                    return frames, start, doubt
                doubt = len(frames) if doubt is None else doubt
            start = chunk.end
        whole = start <= len(self.data) and self.after_zeros(start) == len(self.data)
        return frames, len(self.data) if whole else len(self.data) + 1, doubt

    def index(self) -> list[Chunk]:
        """Frames by `idx1`; none if it is absent or contradicts itself."""
        place = self.data.rfind(b"idx1")
        if place < 0 or self.header(place).end > len(self.data):
            return []  # cut off
        if self.after_zeros(self.header(place).end) < len(self.data):
            return []  # of the first part of a file of several
        size = self.header(place).size // 16 * 16
        entries = [Chunk(name, at, length) for name, _, at, length in
                   struct.iter_unpack("<4sIII", self.data[place + 8 : place + 8 + size])]  # fmt: skip
        for base in (self.movie, 0):  # offsets count from the list or from the file
            moved = [chunk._replace(start=chunk.start + base) for chunk in entries]
            strange = (one for one in moved if not (self.frame.fullmatch(one.name) or self.other.fullmatch(one.name)))
            if any(self.header(chunk.start) != chunk for chunk in strange):
                continue  # neither a frame nor a foreign chunk: a damaged entry
            moved = [chunk for chunk in moved if self.frame.fullmatch(chunk.name)]
            ordered = all(a.end <= b.start for a, b in itertools.pairwise(moved))
            inside = bool(moved) and moved[0].start >= self.movie and moved[-1].end <= place
            if ordered and inside and 2 * len(self.broken(moved)) < len(moved):
                return moved
        return []

    def broken(self, chunks: list[Chunk]) -> tuple[Chunk, ...]:
        """Frames of the index `chunks` that have another header in the file."""
        found = ((chunk, self.header(chunk.start)) for chunk in chunks)
        return tuple(one for one, seen in found if seen.size != one.size or not self.frame.fullmatch(seen.name))


def read_layout(path: Path) -> Layout:
    """Number the frames of an AVI file.

    Raises VideoError: it is cut off so that its length is unknown, or both chain and index are damaged.
    """
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: empty; fetch or render the file again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        avi = Avi(path, data)
        frames, end, doubt = avi.walk()
        whole = end == len(data) and avi.movie + avi.header(avi.movie - 8).size <= len(data)  # as long as it says
        broken = ()
        if whole and doubt is None:
            pass
        elif indexed := avi.index():
            frames, broken = indexed, avi.broken(indexed)
        elif whole and len(frames) == avi.declared:
            pass
        elif end < len(data) or doubt is not None:
            raise VideoError(
                f"{path}: damaged after frame {len(frames) if doubt is None else doubt}, and so is the index that "
                "would place the frames after it; fetch or render the file again"
            )
        elif len(frames) <= avi.declared <= 2 * len(frames):
            return Layout(avi.declared, avi.form)  # cut off
        else:
            raise VideoError(
                f"{path}: cut off after {len(frames)} frames, and its header declares {avi.declared}; "
                "fetch or render the file again"
            )
        repeats = tuple(number for number, chunk in enumerate(frames) if chunk.size == 0)
        return Layout(len(frames), avi.form, repeats, broken)


class Frames:
    """The frames of a video in order: `len(frames)` arrays (H, W, 3), uint8, BGR as OpenCV decodes.

    The file is decoded once to learn which frames are bad, and once more each time it is iterated over. `fps` is its
    header's; `bad` has the numbers of the frames that cannot be decoded. The last good frame stands in for each (at the
    start of the video: the first good one).
    """

    def __init__(self, path: Path, layout: Layout):
        self.path = path
        self._layout = layout
        self.fps, self._numbers = self._survey()
        good = {*self._numbers, *layout.repeats}
        self.bad = tuple(number for number in range(len(self)) if number not in good)
        if not self._numbers or len(self.bad) >= TOO_MANY * len(self):
            raise VideoError(
                f"{path}: {len(good)} of {len(self)} frames can be decoded; fetch or render the file again"
            )

    def __len__(self) -> int:
        return self._layout.count

    def __iter__(self) -> Iterator[np.ndarray]:
        later = set(self._numbers[1:])
        with self._capture() as capture:
            frame = self._next(capture)
            for number in range(len(self)):
                if number in later:
                    frame = self._next(capture)
                yield frame

    def _survey(self) -> tuple[float, list[int]]:
        """Decode without keeping anything. Returns frames per second, and the numbers of the decodable frames."""
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
        """Numbers of the decoded frames, from their time stamps in frames.

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
        """The next frame that can be decoded; the survey has counted them, so there is one."""
        for _ in range(len(self) + 1):
            good, frame = capture.read()
            if good:
                return frame
        raise VideoError(f"{self.path}: changed while it was read")

    @contextmanager
    def _capture(self) -> Iterator[cv2.VideoCapture]:
        """Open the file, or a repaired copy of it. One thread, so that every pass decodes the same frames."""
        with tempfile.TemporaryDirectory() as folder, _noted(self.path):
            path = self.path
            if self._layout.broken:
                path = Path(folder) / "repaired.avi"
                shutil.copyfile(self.path, path)
                with path.open("r+b") as file:
                    for chunk in self._layout.broken:
                        file.seek(chunk.start)
                        file.write(struct.pack("<4sI", chunk.name, chunk.size))
            capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
            if not capture.isOpened():
                raise VideoError(f"{self.path}: OpenCV cannot open it (damaged header or unknown codec)")
            try:
                yield capture
            finally:
                capture.release()


@contextmanager
def _noted(path: Path) -> Iterator[None]:
    if NOTES not in os.environ:
        yield
        return
    with tempfile.NamedTemporaryFile(dir=os.environ[NOTES], suffix=".decoding") as note:
        Path(note.name).write_bytes(os.fsencode(path))
        yield


def read_video(path: Path) -> Frames:
    """Open an AVI video and find its bad frames.

    Raises VideoError: no such file, damage so large that frames cannot be numbered, or a format on which the decoder
    crashes.
    """
    if not path.is_file():
        raise VideoError(f"{path}: no such video")
    layout = read_layout(path)
    # A crash would take the whole notebook with it, so the first file of each format is tried in another process
    if layout.form not in TRIED:
        tried = subprocess.run([sys.executable, "-c", TRY, str(path)], capture_output=True)
        if tried.returncode < 0:
            raise VideoError(f"{path}: OpenCV's decoder crashes on it (signal {-tried.returncode}); {CONVERT}")
        TRIED.add(layout.form)
    return Frames(path, layout)


def read_frames(path: Path, numbers: Sequence[int]) -> list[np.ndarray]:
    """Read some frames of a video, in the order of `numbers`, (H, W, 3) uint8 RGB. Raises VideoError: no such frame."""
    frames = read_video(path)
    missing = [number for number in numbers if not 0 <= number < len(frames)]
    if missing:
        raise VideoError(f"{path}: has frames 0 to {len(frames) - 1}, asked for {missing}")
    last = max(numbers, default=-1)
    wanted = {number: frame for number, frame in enumerate(itertools.islice(frames, last + 1)) if number in numbers}
    return [cv2.cvtColor(wanted[number], cv2.COLOR_BGR2RGB) for number in numbers]
