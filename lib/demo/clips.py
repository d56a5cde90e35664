"""A wider domain, on which the demo's backbones are trained: short labelled clips, as Kinetics has, and other dishes.

Other people in other kitchens, other foods, liquids and spices, and some other actions: no person and no food of the
fifty videos occurs. What transfers is how hands, tools and foods move, and this is what the demo can show.
"""

from itertools import islice
from pathlib import Path

import numpy as np
import yaml

from lib.core.files import atomic, key
from lib.core.processes import only_one
from lib.core.settings import Demo
from lib.demo.film import MADE_BY as FILM
from lib.demo.film import film
from lib.demo.kitchen import FOODS, LIQUIDS, SPICES, kitchen
from lib.demo.script import FOODS as SALAD
from lib.demo.script import Dish, Step
from lib.demo.world import World, begin

MADE_BY = ("demo.clips", *FILM)
OTHERS = tuple(name for name in FOODS if name not in SALAD)
LISTS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
CLASSES: tuple[tuple[str, str], ...] = tuple((verb, thing) for verb, things in LISTS.items() for thing in things)
CLIP_CLASSES = tuple(f"{verb} {thing}" for verb, thing in CLASSES)
VERBS = tuple(sorted(LISTS))
THINGS = tuple(sorted({thing for _, thing in CLASSES}))
PEOPLE = 1000  # first number of the clips' people; those of the videos end at 27


def render_clips(settings: Demo, count: int, frames: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Render clips, each of a different person, labelled by their middle frame.

    Returns (count, frames, size, size, 3) uint8 BGR, and indices into CLIP_CLASSES (count,) int64.
    """
    labels, people = drawn(count, seed), (np.random.default_rng([seed, PEOPLE + number]) for number in range(count))
    return np.stack([_clip(settings, frames, rng, label) for rng, label in zip(people, labels, strict=True)]), labels


def drawn(count: int, seed: int) -> np.ndarray:
    """Draw classes, (count,) int64: a verb's weight is the square root of its number of things."""
    weights = np.array([len(LISTS[verb]) ** -0.5 for verb, _ in CLASSES])
    return np.random.default_rng([seed, count]).choice(len(CLASSES), count, p=weights / weights.sum())


def kept_clips(settings: Demo, count: int, frames: int, seed: int, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read `render_clips`' result from a file in `folder`, which the first caller writes, so that nets share clips."""
    identity = key([settings.model_dump(), count, frames, seed], code=MADE_BY)
    file = folder / f"clips_{identity[:16]}.npy"
    with only_one(file.with_suffix(".lock")):
        if not file.exists():
            with atomic(file) as temporary:
                np.save(temporary, render_clips(settings, count, frames, seed)[0])
    return np.load(file, mmap_mode="c"), drawn(count, seed)


def _clip(settings: Demo, frames: int, rng: np.random.Generator, label: int) -> np.ndarray:
    """Film an action between two others, cut out around one of its moments: (frames, size, size, 3) uint8."""
    verb, thing = CLASSES[label]
    foods = list(rng.choice(OTHERS, 4, replace=False))
    if thing in OTHERS and thing not in foods:
        foods[0] = thing
    bottles, shakers = (_pair(names, thing, rng) for names in (LIQUIDS, SPICES))
    room = kitchen(settings.variety, foods, rng, rng, bottles, shakers)
    world = begin(room, rng)
    _history(world, foods, thing)
    around = [CLASSES[i] for i in rng.integers(len(CLASSES), size=2)]
    known = {*foods, *bottles, *shakers, "nothing", "bowl", "cup", "plate"}
    before, after = (pair if pair[1] in known and pair[1] != thing else ("start", "nothing") for pair in around)
    seconds = rng.uniform(2.2, 7.5)
    timed = ((before, 2.0), ((verb, thing), seconds), (after, 2.0))
    steps = [Step(" ".join(pair), *pair, seconds=duration) for pair, duration in timed]
    middle = (2.0 + seconds * rng.uniform(0.1, 0.95)) * settings.fps
    first = max(0, round(middle) - frames // 2)
    shots = film(world, steps, settings.size, settings.fps, first)
    return np.stack([frame for frame, _ in islice(shots, frames)])


def _pair(names: dict, thing: str, rng: np.random.Generator) -> tuple[str, str]:
    first, second = rng.choice(list(names), 2, replace=False)
    return (thing if thing in names and thing != second else str(first), str(second))


def _history(world: World, foods: list[str], thing: str) -> None:
    """Mark some things as already done: foods cut, in the bowl, on the plate; dressing in the cup."""
    rng = world.rng
    for food in foods:
        if food != thing and rng.random() < 0.5:
            world.inside[str(rng.choice(["bowl", "plate"], p=[0.8, 0.2]))][food] = rng.uniform(0.3, 1)
        elif food != thing and rng.random() < 0.4:
            world.portion(food).cut = float(rng.choice([0.0, 0.5, 1.0]))
    if thing in ("bowl", "plate"):
        world.inside["bowl"] |= {food: rng.uniform(0.5, 1) for food in foods[1:]}
    for name in world.kitchen.bottles:
        world.inside["cup"][name] = rng.uniform(0, 1)


BOWLS, CUPS = ("filling", "fruit", "soup", "vegetables"), ("glaze", "gravy", "sauce", "stock", "syrup")


def other_dishes(count: int, seed: int) -> tuple[Dish, ...]:
    """Make up dishes without any food, liquid or spice of the salads, for the narrations on which S3D is trained."""
    rng = np.random.default_rng(seed)
    return tuple(_dish(number, rng) for number in range(count))


def _dish(number: int, rng: np.random.Generator) -> Dish:
    foods = [str(name) for name in rng.choice(OTHERS, 4, replace=False)]
    kinds = [(verb, food) for food in foods for verb in ("peel", "grate", "cut", "place") if (verb, food) in CLASSES]
    crafts = [pair for pair in CLASSES if pair[0] in ("knead", "mash", "roll", "spread", "wipe")]
    steps = [*kinds, *(crafts[i] for i in rng.choice(len(crafts), 2, replace=False))]
    bottles, shakers = (rng.choice(list(names), 2, replace=False).tolist() for names in (LIQUIDS, SPICES))
    return Dish(
        name=f"Dish {number + 1}",
        category=f"with {foods[0]}",
        bowl=str(rng.choice(BOWLS)),
        cup=str(rng.choice(CUPS)),
        bottles=(bottles[0], bottles[1]),
        shakers=(shakers[0], shakers[1]),
        steps=tuple(f"{verb} {thing}" for verb, thing in steps),
        around=OTHERS,
    )
