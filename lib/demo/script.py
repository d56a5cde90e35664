"""What people do and for how long: salads as in 50 Salads (thesis 2.1.1), dishes as in HowTo100M (thesis 2.1.2).

A salad follows a small grammar like the data set's: foods cut and placed one by one (or placed later, or cut in two
rounds), the dressing before or after them, mixing, serving. Durations follow the data set's, compressed.

The dishes of the narrated videos are of eight categories. About half of their steps are steps of salads, but some
food-action pairs of the salads are held out: each food and each verb occurs, but never these pairs. A model that knows
them after pre-training has composed them from what it saw and heard of others. The lists are in script.yaml.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

LISTS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
FOODS = ("tomato", "cheese", "lettuce", "cucumber")
CLASS_NAMES = tuple(LISTS["classes"])


@dataclass(frozen=True)
class Step:
    """One action in a video."""

    label: str  # its class
    verb: str  # how it moves (a name in `lib.demo.actions.ACTIONS`)
    thing: str  # what it is done to or with
    seconds: float  # how long
    upto: float = 1.0  # share of the food that is done at the end (a food may be cut in two rounds)


def compressed(seconds: float) -> float:
    """Compress a real duration d to the demo's, (0.8 d)^0.6, both in seconds; long actions shrink more than short ones.

    >>> round(compressed(30), 1), round(compressed(6), 1)
    (6.7, 2.6)
    """
    return (0.8 * seconds) ** 0.6


def salad(rng: np.random.Generator, pace: float) -> list[Step]:
    """Draw the steps of one video of 50 Salads."""
    prepare, dressing, served = _prepare(rng), _dressing(rng), rng.random()
    steps = dressing + prepare if rng.random() < 0.5 else prepare + dressing
    if rng.random() < 0.8 or ("mix_ingredients", 1.0) not in steps:
        steps.append(("mix_ingredients", 1.0))
    if served < 0.4:  # dressed in the bowl
        steps += [("add_dressing", 1.0), *([("mix_ingredients", 1.0)] if rng.random() < 0.6 else [])]
    steps.append(("serve_salad_onto_plate", 1.0))
    if 0.4 <= served < 0.8:  # dressed on the plate
        steps.append(("add_dressing", 1.0))
    steps = [("action_start", 1.0), *steps, ("action_end", 1.0)]
    return [_step(label, upto, pace, rng) for label, upto in steps]


def _prepare(rng: np.random.Generator) -> list[tuple[str, float]]:
    """Draw the steps (label, upto) that peel, cut and place every food."""
    steps: list[tuple[str, float]] = []
    waiting: list[str] = []  # foods cut, left on the board
    for food in rng.permutation(FOODS):
        if food == "cucumber":
            steps.append(("peel_cucumber", 1.0))
        for upto in (0.5, 1.0) if rng.random() < 0.13 else (1.0,):
            steps += [(f"cut_{food}", upto), (f"place_{food}_into_bowl", upto)]
        if rng.random() < 0.2:
            waiting.append(steps.pop()[0])
        elif rng.random() < 0.5:
            steps += [(label, 1.0) for label in waiting]
            waiting = []
        if rng.random() < 0.06:
            steps.append(("mix_ingredients", 1.0))
    return steps + [(label, 1.0) for label in waiting]


def _dressing(rng: np.random.Generator) -> list[tuple[str, float]]:
    """Draw the steps that mix oil, vinegar, salt and pepper in the cup; now and then one comes after the mixing."""
    liquids, spices = rng.permutation(["add_oil", "add_vinegar"]), rng.permutation(["add_salt", "add_pepper"])
    order = [*liquids, *spices] if rng.random() < 0.6 else list(rng.permutation([*liquids, *spices]))
    steps = [(str(label), 1.0) for label in order] + [("mix_dressing", 1.0)]
    if rng.random() < 0.15:
        late = steps.pop(int(rng.integers(4)))
        steps += [late, ("mix_dressing", 1.0)]
    return steps


def _step(label: str, upto: float, pace: float, rng: np.random.Generator) -> Step:
    usual = LISTS["classes"][label]
    seconds = pace * compressed(usual["median"] * np.exp(usual["spread"] * np.clip(rng.normal(), -1.8, 1.8)))
    return Step(label, usual["verb"], usual["thing"], float(seconds), upto)


def verb_of(label: str) -> tuple[str, str]:
    """Verb and thing of a class: how it moves, and what it is about.

    >>> verb_of("place_tomato_into_bowl"), verb_of("add_oil")
    (('place', 'tomato'), ('pour', 'oil'))
    """
    return LISTS["classes"][label]["verb"], LISTS["classes"][label]["thing"]


HELD_OUT = ("cut_cheese", "cut_cucumber", "place_tomato_into_bowl", "place_lettuce_into_bowl")
ALLOWED = tuple(" ".join(verb_of(name)) for name in CLASS_NAMES if name not in HELD_OUT)
SHORTEST, LONGEST = 2.5, 7.0  # seconds of a step
SALAD_WEIGHT = 1.8  # how much more often steps of salads occur, so that they make up half
DISORDER = 1.5  # how far a step wanders from its turn in the recipe


@dataclass(frozen=True)
class Dish:
    """A dish and the steps ("verb thing") that it may have."""

    name: str  # what the video is about
    category: str  # as in HowTo100M, several dishes each
    bowl: str  # what a narrator calls the contents of the bowl
    cup: str  # the same for the cup
    bottles: tuple[str, str]  # the two liquids on the table
    shakers: tuple[str, str]  # the two spices on the table
    steps: tuple[str, ...]  # its own, in the order of the recipe
    around: tuple[str, ...] = ()  # foods that may lie about unused; empty: any

    @property
    def kinds(self) -> tuple[str, ...]:
        """All steps in the order of the recipe: pouring, seasoning, stirring and serving belong to any dish."""
        cooking = [f"pour {name}" for name in self.bottles] + [f"shake {name}" for name in self.shakers]
        serving = ("stir cup", "stir bowl", "dress cup", "serve plate", "end nothing")
        return ("start nothing", *self.steps, *cooking, *serving)


DISHES = tuple(
    Dish(**dish | {name: tuple(dish[name]) for name in ("bottles", "shakers", "steps")}) for dish in LISTS["dishes"]
)
OFTEN = Counter(kind for dish in DISHES for kind in dish.kinds)


def plan(dish: Dish, seconds: float, fps: float, rng: np.random.Generator) -> list[Step]:
    """Draw the steps of one video of a dish: no kind occurs twice, and each lasts whole frames.

    Kinds are drawn so that, over DISHES, each occurs about as often as others of its sort (of salads or not); kinds of
    other dishes are drawn evenly.
    """
    count = min(len(dish.kinds), max(1, round(2 * seconds / (SHORTEST + LONGEST))))
    weights = np.ones(len(dish.kinds))
    if dish in DISHES:
        weights = np.array([(SALAD_WEIGHT if kind in ALLOWED else 1.0) / OFTEN[kind] for kind in dish.kinds])
    chosen = rng.choice(len(dish.kinds), count, replace=False, p=weights / weights.sum())
    turns = chosen + rng.normal(0, DISORDER, count)
    turns[chosen == 0] = -np.inf  # start comes first, end last
    turns[chosen == len(dish.kinds) - 1] = np.inf
    order = chosen[np.argsort(turns)]
    things = np.array([dish.kinds[i].split()[1] for i in order])
    for thing in set(things):  # a food is peeled before it is cut, and cut before it goes into the bowl
        order[things == thing] = np.sort(order[things == thing])
    pairs = [dish.kinds[i] for i in order]
    lengths = _lengths(count, seconds, fps, rng)
    return [Step(pair, *pair.split(), seconds=length) for pair, length in zip(pairs, lengths, strict=True)]


def _lengths(count: int, seconds: float, fps: float, rng: np.random.Generator) -> list[float]:
    """Draw `count` lengths between SHORTEST and LONGEST, stretched or squeezed to add up to `seconds`."""
    lengths = rng.uniform(SHORTEST, LONGEST, count)
    room = (LONGEST if lengths.sum() < seconds else SHORTEST) - lengths
    lengths += room * (seconds - lengths.sum()) / room.sum()
    ends = np.round(np.cumsum(lengths) * fps)
    return (np.diff(ends, prepend=0) / fps).tolist()
