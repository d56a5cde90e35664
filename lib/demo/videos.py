"""The demo's data set on disk, in the MS-TCN layout: videos/*.avi, groundTruth/*.txt, splits/*.bundle, mapping.txt.

People and videos are numbered as in 50 Salads, so the five 40/10 splits by person are the real ones (thesis 2.1.1), and
the two videos that the thesis found damaged are damaged here too (2.3.2, Figure 8).
"""

from functools import partial
from pathlib import Path

import numpy as np

from lib.core.files import atomic, key, write_text
from lib.core.settings import Demo
from lib.demo.film import MADE_BY as FILM
from lib.demo.film import record, render_all, renew
from lib.demo.kitchen import kitchen
from lib.demo.script import CLASS_NAMES, FOODS, salad
from lib.demo.world import begin

MADE_BY = ("demo.videos", *FILM)
PEOPLE = [person for person in range(1, 28) if person not in (8, 12)]
TEST_PEOPLE = [PEOPLE[first : first + 5] for first in range(0, 25, 5)]  # of splits 1 … 5, as in 50 Salads
DAMAGED = ("rgb-14-1", "rgb-18-1")
UNLABELLED = 8  # frames at the end of a video that have no label, as in the real set (thesis 2.3.2)
DAMAGED_SHARE = 0.03  # of the frames of such a video


def videos_of_split(settings: Demo, split: int) -> list[str]:
    """Names of the test videos of split 1 … 5.

    >>> videos_of_split(Demo(seed=0, people_per_split=2, videos_per_person=1, pace=1, size=64, fps=10, variety=1), 5)
    ['rgb-23-1', 'rgb-24-1']
    """
    people = TEST_PEOPLE[split - 1][: settings.people_per_split]
    return [f"rgb-{person:02}-{video}" for person in people for video in range(1, settings.videos_per_person + 1)]


def render(settings: Demo, folder: Path, workers: int) -> None:
    """Write the data set into `folder`: finished videos are kept, videos of other settings are removed."""
    names = [name for split in range(1, 6) for name in videos_of_split(settings, split)]
    note = {"key": key(settings.model_dump(), code=MADE_BY), "damaged": [name for name in DAMAGED if name in names]}
    renew(folder, note, ("videos", "groundTruth", "splits"))
    if missing := [name for name in names if not (folder / "groundTruth" / f"{name}.txt").exists()]:
        render_all(partial(render_video, settings, folder), missing, workers, "video")
    write_text(folder / "mapping.txt", "".join(f"{i} {name}\n" for i, name in enumerate(CLASS_NAMES)))
    for split in range(1, 6):
        test = videos_of_split(settings, split)
        for part, members in (("test", test), ("train", [name for name in names if name not in test])):
            bundle = folder / "splits" / f"{part}.split{split}.bundle"
            write_text(bundle, "".join(f"{name}.txt\n" for name in members))


def render_video(settings: Demo, folder: Path, name: str) -> None:
    """Render one video and its labels; the labels are written last, as a sign that the video is complete."""
    _, person, video = name.split("-")
    habits = np.random.default_rng([settings.seed, int(person)])
    session = np.random.default_rng([settings.seed, int(person), int(video)])
    steps = salad(session, settings.pace)
    room = kitchen(settings.variety, FOODS, habits, session)
    with atomic(folder / "videos" / f"{name}.avi") as path:
        shown = record(path, begin(room, session), steps, settings.size, settings.fps)
        if name in DAMAGED:
            damage(path, session)
    labels = "".join(f"{step.label}\n" for step in shown[:-UNLABELLED])
    write_text(folder / "groundTruth" / f"{name}.txt", labels)


def frames_of(avi: bytes) -> list[tuple[int, int]]:
    """Locate the compressed frames of an AVI file: (first byte, length) of each video chunk in its `movi` list."""
    at, found = avi.index(b"movi") + 4, []
    while avi[at : at + 4] in (b"00dc", b"JUNK"):
        length = int.from_bytes(avi[at + 4 : at + 8], "little")
        if avi[at : at + 4] == b"00dc":
            found.append((at + 8, length))
        at += 8 + length + length % 2
    return found


def damage(path: Path, rng: np.random.Generator) -> None:
    """Destroy bytes inside the frames of an AVI file, in bursts as a bad disk does; the container stays whole.

    A third of the frames lose their JPEG header too and cannot be decoded at all; the others become garbage.
    """
    data = bytearray(path.read_bytes())
    frames = frames_of(bytes(data))
    left = max(2, round(DAMAGED_SHARE * len(frames)))
    while left > 0:
        burst = min(left, int(rng.integers(2, 9)))
        first = int(rng.integers(1, len(frames) - burst))
        for at, length in frames[first : first + burst]:
            start = 0 if rng.random() < 1 / 3 else length // 3
            data[at + start : at + length] = rng.bytes(length - start)
        left -= burst
    path.write_bytes(data)
