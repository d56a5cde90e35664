"""The demo's narrated videos on disk, in HowTo100M's layout (thesis 2.1.2; Miech et al., ICCV 2019).

videos/<id>.avi, raw_caption.json, HowTo100M_v1.csv, and the ids for training and validation in train.lst and val.lst.
The true steps lie beside them in steps.json for the page that describes the corpus; nothing is trained on them.
"""

import base64
import hashlib
import json
import shutil
from collections import Counter, deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from lib.core.files import atomic, key, write_json, write_text
from lib.core.processes import spread
from lib.core.progress import track
from lib.core.settings import Demo, Narration
from lib.demo.film import film
from lib.demo.kitchen import FOODS, kitchen
from lib.demo.script import DISHES, Dish, Step, plan
from lib.demo.talk import Caption, narrate
from lib.demo.world import World, begin

MADE_BY = (
    "demo.actions",
    "demo.draw",
    "demo.film",
    "demo.kitchen",
    "demo.narrated",
    "demo.picture",
    "demo.script",
    "demo.talk",
    "demo.world",
)

PEOPLE = 5000  # numbers of the narrators begin here, behind those of the clips' people
OTHERS = 3  # foods in the kitchen that nothing is done to
FILES = ("HowTo100M_v1.csv", "train.lst", "val.lst", "steps.json", "raw_caption.json")  # the last one written last


@dataclass(frozen=True)
class Video:
    """What happens in a video and what is said; `room` decides how it looks."""

    name: str
    dish: Dish
    steps: list[Step]
    captions: list[Caption]
    room: np.random.Generator


def video(settings: Narration, fps: float, number: int) -> Video:
    """Video `number`, without its pictures; its name has 11 characters as those of YouTube."""
    script, voice, room = np.random.default_rng([settings.seed, PEOPLE + number]).spawn(3)
    name = base64.urlsafe_b64encode(hashlib.sha256(f"{settings.seed} {number}".encode()).digest())[:11].decode()
    dish = DISHES[number % len(DISHES)]
    steps = plan(dish, script.uniform(settings.shortest, settings.longest), fps, script)
    return Video(name, dish, steps, narrate(dish, steps, voice), room)


def render_narrated(demo: Demo, settings: Narration, folder: Path, workers: int) -> None:
    """Write the videos and what is said in them into `folder`; what is there already is not rendered again.

    Args:
        demo: how pictures look (size, fps and variety).
        settings: the same settings give the same bytes.
        folder: videos of other settings are removed from it; raw_caption.json in it says that all is there.
        workers: processes.
    """
    looks = demo.model_dump(include={"size", "fps", "variety"})
    identity = key({"demo": looks, "narration": settings.model_dump()}, code=MADE_BY)
    note = folder / "rendered.json"
    if not note.exists() or json.loads(note.read_text(encoding="utf-8"))["key"] != identity:
        for file in reversed(FILES):
            (folder / file).unlink(missing_ok=True)
        shutil.rmtree(folder / "videos", ignore_errors=True)
        write_json(note, {"key": identity})
    videos = [video(settings, demo.fps, number) for number in range(settings.videos)]
    missing = [k for k, one in enumerate(videos) if not (folder / "videos" / f"{one.name}.avi").exists()]
    if missing:
        done = spread(partial(render_video, demo, settings, folder), missing, workers)
        deque(track(done, "narrated video", total=len(missing)), maxlen=0)
    if missing or not all((folder / file).exists() for file in FILES):  # new times would have the captions packed again
        _write_lists(videos, settings, folder)


def render_video(demo: Demo, settings: Narration, folder: Path, number: int) -> None:
    """One video; it gets its name when it is whole."""
    one = video(settings, demo.fps, number)
    with atomic(folder / "videos" / f"{one.name}.avi") as path:
        shape = (demo.size, demo.size)
        # OpenCV's own writer: its bytes depend on nothing but the frames
        writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), demo.fps, shape)
        for frame, _ in film(enter(one, demo.variety), one.steps, demo.size, demo.fps):
            writer.write(frame)
        writer.release()


def enter(one: Video, variety: float) -> World:
    """The kitchen when the video begins: other foods lie about or are in the bowl, some things are done already."""
    rng, dish = one.room, one.dish
    first = {step.thing: step.verb for step in reversed(one.steps)}  # what is done first to a thing
    spare = [name for name in FOODS if name not in first]
    others = [str(name) for name in rng.permutation(spare)[:OTHERS]]
    foods = [name for name in FOODS if name in first or name in others]
    world = begin(kitchen(variety, foods, rng, rng, dish.bottles, dish.shakers), rng)
    for food in others[:-1]:
        if rng.random() < 0.8 or first.keys() & {"bowl", "plate"}:
            world.inside["bowl"][food] = rng.uniform(0.4, 1)
    for food, verb in first.items():
        if verb == "place":  # whoever brings it to the bowl has it in pieces on the board
            world.portion(food).cut = 1.0
    for bottle in dish.bottles:
        if bottle not in first and (rng.random() < 0.5 or "cup" in first):
            world.inside["cup"][bottle] = rng.uniform(0.3, 1)
    return world


def validation(videos: list[Video], count: int, seed: int) -> set[int]:
    """Which videos are for validation: of each category its share."""
    order = np.random.default_rng(seed).permutation(len(videos))
    order = sorted(order.tolist(), key=lambda number: videos[number].dish.category)
    return {order[int((k + 0.5) * len(order) / count)] for k in range(count)}


def _write_lists(videos: list[Video], settings: Narration, folder: Path) -> None:
    """All files but the videos; raw_caption.json last."""
    held = validation(videos, settings.validation, settings.seed)
    for part, wanted in (("train", False), ("val", True)):
        names = [one.name for number, one in enumerate(videos) if (number in held) == wanted]
        write_text(folder / f"{part}.lst", "".join(f"{name}\n" for name in names))
    rows, ranks = ["video_id,category_1,category_2,rank,task_id\n"], Counter()
    for one in videos:
        ranks[one.dish] += 1  # as if a search for the dish had found its videos in this order
        task = DISHES.index(one.dish)
        rows.append(f"{one.name},{one.dish.category},{one.dish.name},{ranks[one.dish]},{task}\n")
    write_text(folder / "HowTo100M_v1.csv", "".join(rows))
    write_json(folder / "steps.json", {one.name: _truth(one) for one in videos})
    write_json(folder / "raw_caption.json", {one.name: _said(one) for one in videos})


def _truth(one: Video) -> dict[str, list]:
    """Steps in seconds, and for each caption the number of its step (null: filler talk)."""
    ends = np.cumsum([step.seconds for step in one.steps])
    return {
        "start": [round(float(end) - step.seconds, 2) for end, step in zip(ends, one.steps, strict=True)],
        "end": [round(float(end), 2) for end in ends],
        "verb": [step.verb for step in one.steps],
        "thing": [step.thing for step in one.steps],
        "captions": [caption.step for caption in one.captions],
    }


def _said(one: Video) -> dict[str, list]:
    return {
        "start": [round(caption.start, 2) for caption in one.captions],
        "end": [round(caption.end, 2) for caption in one.captions],
        "text": [caption.text for caption in one.captions],
    }
