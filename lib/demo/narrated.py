"""The demo's narrated videos on disk, in HowTo100M's layout (thesis 2.1.2; Miech et al., ICCV 2019).

videos/<id>.avi, raw_caption.json, HowTo100M_v1.csv, and the ids for training and validation in train.lst and val.lst.
steps.json has the true steps, for the page that describes the corpus; nothing is trained on them.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from lib.core.files import atomic, key, write_json, write_text
from lib.core.settings import Demo, Narration
from lib.demo.film import MADE_BY as FILM
from lib.demo.film import record, render_all, renew
from lib.demo.kitchen import FOODS, kitchen
from lib.demo.script import DISHES, Dish, Step, plan
from lib.demo.talk import Caption, narrate
from lib.demo.world import World, begin

MADE_BY = ("demo.narrated", "demo.talk", *FILM)
PEOPLE = 5000  # first number of a narrator, after those of the clips' people
OTHERS = 3  # foods in the kitchen that are not used
FILES = ("HowTo100M_v1.csv", "train.lst", "val.lst", "steps.json", "raw_caption.json")  # written in this order


@dataclass(frozen=True)
class Video:
    """What happens in a video and what is said; `room` decides how it looks."""

    name: str
    dish: Dish
    steps: list[Step]
    captions: list[Caption]
    room: np.random.Generator


def video(settings: Narration, fps: float, number: int, dishes: Sequence[Dish] = DISHES) -> Video:
    """Make up video `number`, without its pictures; its name has 11 characters like YouTube's."""
    script, voice, room = np.random.default_rng([settings.seed, PEOPLE + number]).spawn(3)
    name = base64.urlsafe_b64encode(hashlib.sha256(f"{settings.seed} {number}".encode()).digest())[:11].decode()
    dish = dishes[number % len(dishes)]
    steps = plan(dish, script.uniform(settings.shortest, settings.longest), fps, script)
    return Video(name, dish, steps, narrate(dish, steps, voice), room)


def render_narrated(
    demo: Demo, settings: Narration, folder: Path, workers: int, dishes: Sequence[Dish] = DISHES
) -> None:
    """Write the videos and their captions into `folder`; finished videos are not rendered again.

    Videos of other settings are removed; raw_caption.json marks the folder as complete.
    """
    looks = demo.model_dump(include={"size", "fps", "variety"})
    recipe = {} if dishes is DISHES else {"dishes": [asdict(dish) for dish in dishes]}
    identity = key({"demo": looks, "narration": settings.model_dump(), **recipe}, code=MADE_BY)
    renew(folder, {"key": identity}, (*reversed(FILES), "videos"))
    videos = [video(settings, demo.fps, number, dishes) for number in range(settings.videos)]
    missing = [k for k, one in enumerate(videos) if not (folder / "videos" / f"{one.name}.avi").exists()]
    if missing:
        render_all(partial(render_video, demo, settings, folder, dishes), missing, workers, "narrated video")
    # Captions are packed again whenever their file changes, so it is written only where necessary
    if missing or not all((folder / file).exists() for file in FILES):
        _write_lists(videos, settings, folder, dishes)


def render_video(demo: Demo, settings: Narration, folder: Path, dishes: Sequence[Dish], number: int) -> None:
    """Render one video; it gets its name once it is complete."""
    one = video(settings, demo.fps, number, dishes)
    with atomic(folder / "videos" / f"{one.name}.avi") as path:
        record(path, enter(one, demo.variety), one.steps, demo.size, demo.fps)


def enter(one: Video, variety: float) -> World:
    """Set up the kitchen as a video begins: other foods on the table or in the bowl, some things already done."""
    rng, dish = one.room, one.dish
    first = {step.thing: step.verb for step in reversed(one.steps)}  # the first verb applied to each thing
    spare = [name for name in dish.around or FOODS if name not in first]
    others = [str(name) for name in rng.permutation(spare)[:OTHERS]]
    foods = [name for name in FOODS if name in first or name in others]
    world = begin(kitchen(variety, foods, rng, rng, dish.bottles, dish.shakers), rng)
    for food in others[:-1]:
        if rng.random() < 0.8 or first.keys() & {"bowl", "plate"}:
            world.inside["bowl"][food] = rng.uniform(0.4, 1)
    for food, verb in first.items():
        if verb == "place":  # it is on the board, in pieces
            world.portion(food).cut = 1.0
    for bottle in dish.bottles:
        if bottle not in first and (rng.random() < 0.5 or "cup" in first):
            world.inside["cup"][bottle] = rng.uniform(0.3, 1)
    return world


def validation(videos: list[Video], count: int, seed: int) -> set[int]:
    """Draw the numbers of the validation videos; each category gets its share."""
    order = np.random.default_rng(seed).permutation(len(videos))
    order = sorted(order.tolist(), key=lambda number: videos[number].dish.category)
    return {order[int((k + 0.5) * len(order) / count)] for k in range(count)}


def _write_lists(videos: list[Video], settings: Narration, folder: Path, dishes: Sequence[Dish]) -> None:
    """Write all files but the videos; raw_caption.json last."""
    held = validation(videos, settings.validation, settings.seed)
    for part, wanted in (("train", False), ("val", True)):
        names = [one.name for number, one in enumerate(videos) if (number in held) == wanted]
        write_text(folder / f"{part}.lst", "".join(f"{name}\n" for name in names))
    rows, ranks = ["video_id,category_1,category_2,rank,task_id\n"], Counter()
    for one in videos:
        ranks[one.dish] += 1  # as if a search for the dish had found its videos in this order
        task = dishes.index(one.dish)
        rows.append(f"{one.name},{one.dish.category},{one.dish.name},{ranks[one.dish]},{task}\n")
    write_text(folder / "HowTo100M_v1.csv", "".join(rows))
    write_json(folder / "steps.json", {one.name: _truth(one) for one in videos})
    write_json(folder / "raw_caption.json", {one.name: _said(one) for one in videos})


def _truth(one: Video) -> dict[str, list]:
    """True steps in seconds, and for each caption the number of its step (null: filler talk)."""
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
