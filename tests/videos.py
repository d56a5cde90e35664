"""Videos for tests: every frame shows its own number."""

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


def write_video(path: Path, frames: int = 60, fps: float = 10) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (SIZE, SIZE))
    for number in range(frames):
        writer.write(picture(number))
    writer.release()
    return path


def chunks(path: Path) -> list[tuple[int, int]]:
    """Start and size of each frame's chunk, by the index at the end of an undamaged file that OpenCV wrote."""
    data = path.read_bytes()
    movie, index = data.find(b"movi"), data.rfind(b"idx1")
    entries = np.frombuffer(data[index + 8 :], "<u4").reshape(-1, 4)
    return [(movie + int(offset), int(size)) for _, _, offset, size in entries]
