"""Videos for tests: every frame shows its own number."""

import struct
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

SIZE = 64


def picture(number: int) -> np.ndarray:
    """(64, 64, 3): the number in binary, as eight light or dark bars at the top, and a dot that moves."""
    frame = np.full((SIZE, SIZE, 3), (40, 60, 80), np.uint8)
    for bit in range(8):
        frame[:16, 8 * bit : 8 * bit + 8] = 230 if number >> bit & 1 else 20
    cv2.circle(frame, (10 + number % 40, 40), 8, (0, 200, 255), -1)
    return frame


def number_of(frame: np.ndarray) -> int:
    """The number that a frame shows."""
    return sum(1 << bit for bit in range(8) if frame[4:12, 8 * bit + 2 : 8 * bit + 6].mean() > 120)


def write_frames(
    path: Path, frames: Iterable[np.ndarray], fps: float, codec: str = "MJPG", api: int = cv2.CAP_ANY
) -> Path:
    """An AVI file of pictures (H, W, 3), all of one size."""
    frames = iter(frames)
    first = next(frames)
    writer = cv2.VideoWriter(str(path), api, cv2.VideoWriter.fourcc(*codec), fps, first.shape[1::-1])
    for frame in chain([first], frames):
        writer.write(frame)
    writer.release()
    return path


def write_video(path: Path, frames: int = 60, fps: float = 10) -> Path:
    return write_frames(path, map(picture, range(frames)), fps)


def chunks(path: Path) -> list[tuple[int, int]]:
    """Start and size of each frame's chunk, by the index at the end of an undamaged file that OpenCV wrote."""
    data = path.read_bytes()
    movie, index = data.find(b"movi"), data.rfind(b"idx1")
    entries = np.frombuffer(data[index + 8 :], "<u4").reshape(-1, 4)
    return [(movie + int(offset), int(size)) for _, _, offset, size in entries]


def avi(path: Path, chunks: list[tuple[bytes, bytes]], streams: int = 1, index: bool = True, between: bytes = b"",
        end: bytes = b"", form: bytes = b"", codec: bytes = b"MJPG") -> Path:  # fmt: skip
    """An AVI file from its chunks (name, content), as other programs than OpenCV write them.

    between: bytes before and after the list of chunks; end: after everything; form: BITMAPINFOHEADER, else of MJPEG.
    """

    def riff(name: bytes, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return name + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)

    frames = sum(name[:2] == b"00" for name, _ in chunks)
    form = form or struct.pack("<IiiHH4s5I", 40, SIZE, SIZE, 1, 24, codec, 3 * SIZE**2, 0, 0, 0, 0)
    header = struct.pack("<4s4s10I4h", b"vids", codec, 0, 0, 0, 1, 10, 0, frames, 0, 2**32 - 1, 0, 0, 0, SIZE, SIZE)
    stream = riff(b"LIST", b"strl", riff(b"strh", header), riff(b"strf", form))
    main = riff(b"avih", struct.pack("<14I", 100_000, 0, 0, 16, frames, 0, streams, 0, SIZE, SIZE, 0, 0, 0, 0))
    bodies = [riff(name, content) for name, content in chunks]
    starts = np.cumsum([4, *map(len, bodies)])[:-1].tolist()
    entries = [struct.pack("<4s3I", name, 16, at, len(content))
               for (name, content), at in zip(chunks, starts, strict=True)]  # fmt: skip
    movie = riff(b"LIST", b"movi", *bodies)
    last = riff(b"idx1", *entries) if index else b""
    hdrl = riff(b"LIST", b"hdrl", main, *[stream] * streams)
    path.write_bytes(riff(b"RIFF", b"AVI ", hdrl, between, movie, between, last) + end)
    return path


def jpeg(number: int) -> bytes:
    return cv2.imencode(".jpg", picture(number))[1].tobytes()
