"""Randomly damaged copies of a video: python -m tests.fuzz_video VIDEO FIRST LAST prints one line of JSON per seed.

Run as a process of its own (tests/test_video.py), so that a crash or a hang of the decoder is seen.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from lib.data.video import VideoError, read_video


def damage(data: bytes, seed: int) -> bytes:
    """One to three wounds of one kind, as disks, cables and careless copies leave them."""
    rng = np.random.default_rng(seed)
    wounded = bytearray(data)
    kind = rng.choice(["bits", "zeros", "noise", "header", "chunk", "index", "cut", "remove", "insert"])
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(len(wounded)))
        if kind == "bits":
            wounded[place] ^= 1 << int(rng.integers(8))
        elif kind in ("zeros", "noise"):
            size = min(int(rng.integers(1, 4096)), len(wounded) - place)
            wounded[place : place + size] = bytes(size) if kind == "zeros" else rng.bytes(size)
        elif kind == "header":
            wounded[int(rng.integers(300))] = int(rng.integers(256))
        elif kind == "chunk":
            starts = [at for at in range(len(wounded)) if wounded[at : at + 4] == b"00dc"]
            wounded[int(rng.choice(starts)) + int(rng.integers(8))] = int(rng.integers(256))
        elif kind == "index":
            wounded[-int(rng.integers(1, 900))] = int(rng.integers(256))
        elif kind == "cut":
            del wounded[max(1, place) :]
        elif kind == "remove":
            del wounded[place : place + int(rng.integers(1, 50))]
        else:
            wounded[place:place] = rng.bytes(int(rng.integers(1, 50)))
    return bytes(wounded)


def outcome(path: Path, original: list[np.ndarray]) -> dict:
    """What came of reading: an error's message, or the numbers of bad frames and of frames that are another one.

    A decoder may leave the picture before where a frame is damaged, so that this one is no sign of a wrong number.
    """
    try:
        video = read_video(path)
        frames = list(video)
    except VideoError as error:
        return {"error": str(error)}
    others = [
        number
        for number, frame in enumerate(frames)
        if number not in video.bad
        and not np.array_equal(frame, original[number])
        and not (number and np.array_equal(frame, frames[number - 1]))
        and any(np.array_equal(frame, other) for other in original)
    ]
    return {"frames": len(frames), "bad": video.bad, "others": others}


def main(video: Path, first: int, last: int) -> None:
    data, original = video.read_bytes(), list(read_video(video))
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, last):
            copy = Path(folder) / f"{seed}.avi"
            copy.write_bytes(damage(data, seed))
            print(json.dumps({"seed": seed, **outcome(copy, original)}), flush=True)
            copy.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
