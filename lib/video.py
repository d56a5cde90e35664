"""Frames of a video, each under its own number whatever is damaged (thesis 2.3.2; Figure 8).

Frame i of the file is always label i. The thesis says that it skipped damaged frames; its loop ended at the first
failed read of a buffer. Here a frame that cannot be decoded is reported, and the last good one stands in for it.
A frame that decodes with visible damage comes as decoded, as in the thesis.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from lib.avi import Layout, VideoError, read_layout, repair

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
