"""One picture file a video: small frames side by side, a frame every few seconds, for the timeline explorer.

    sheet = thumbnail_sheet(path, folder, budget=20_000)

The sheet is kept in `folder` with a note of the file that it was made from, so that a video is decoded once.
"""

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from lib.artifacts import atomic, key, write_json
from lib.avi import VideoError
from lib.video import read_video

SIDE = 96  # pixels of a frame's longer side, at most
COLUMNS = 10
EVERY = (1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 300, 600)  # seconds between frames: the first that fits the budget
QUALITY = 40  # of WebP


@dataclass(frozen=True)
class Sheet:
    """Frames of a video on a grid of `columns`, row by row, the first at second 0.

    Attributes:
        every: seconds between frames.
        count: of frames.
        columns: of the grid.
        width, height: of a frame, in pixels.
        bad: frames of the video that cannot be decoded; the last good one stands in.
    """

    every: int
    count: int
    columns: int
    width: int
    height: int
    bad: int


def thumbnail_sheet(video: Path, folder: Path, budget: int) -> Sheet:
    """Write `<folder>/<video>.webp`, if it is not there yet.

    Args:
        budget: bytes that the picture may have; where even a frame in ten minutes does not fit, that is taken.

    Raises:
        VideoError: no such file, or it cannot be decoded.
    """
    picture, note = folder / f"{video.stem}.webp", folder / f"{video.stem}.json"
    if not video.is_file():
        raise VideoError(f"{video}: no such video")
    state = video.stat()
    made_from = key([state.st_size, state.st_mtime_ns, budget], code=["lib.thumbnails"])
    if picture.exists() and note.exists():
        kept = json.loads(note.read_text(encoding="utf-8"))
        if kept["made_from"] == made_from:
            return Sheet(**kept["sheet"])
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # a line a damaged frame; they are counted here
    frames = read_video(video)
    small = []  # a frame a second; a video is far too large to be held
    for number, frame in enumerate(frames):
        if number == math.ceil(len(small) * EVERY[0] * frames.fps):
            scale = min(1.0, SIDE / max(frame.shape[:2]))
            size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
            small.append(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
    for every in EVERY:
        chosen = small[::every]
        data = _encode(chosen)
        if len(data) <= budget:
            break
    height, width = chosen[0].shape[:2]
    sheet = Sheet(every, len(chosen), min(COLUMNS, len(chosen)), width, height, len(frames.bad))
    with atomic(picture) as file:
        file.write_bytes(data)
    write_json(note, {"made_from": made_from, "sheet": asdict(sheet)})
    return sheet


def _encode(frames: list[np.ndarray]) -> bytes:
    """Frames (H, W, 3), BGR, on one grid, as WebP."""
    columns = min(COLUMNS, len(frames))
    rows = -(-len(frames) // columns)
    height, width = frames[0].shape[:2]
    grid = np.zeros((rows * height, columns * width, 3), np.uint8)
    for place, frame in enumerate(frames):
        top, left = place // columns * height, place % columns * width
        grid[top : top + height, left : left + width] = frame
    return cv2.imencode(".webp", grid, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].tobytes()
