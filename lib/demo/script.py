"""What a person does and for how long: a salad in the free order that the people of 50 Salads had (thesis 2.1.1).

The order is a small grammar in the manner of the data set: foods cut and placed one by one (or placed later, or cut in
two rounds), the dressing before or after them, mixing, serving. Durations follow the data set's, compressed.

What is done in the demo's narrated videos, which stand for HowTo100M's (thesis 2.1.2; Miech et al., ICCV 2019).

Dishes of eight categories. About half of the steps are such as the fifty videos' salads have, but some food-action
pairs of the salads are held out for good: each food and each verb occurs, these pairs never do. A model that knows them
after pre-training has put them together from what it saw and heard of others.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

FOODS = ("tomato", "cheese", "lettuce", "cucumber")


# Class -> median duration in seconds and spread (standard deviation of the logarithm) in 50 Salads, in mapping order.
DURATIONS = {
    "cut_tomato": (31, 0.5),
    "place_tomato_into_bowl": (6, 0.55),
    "cut_cheese": (29, 0.38),
    "place_cheese_into_bowl": (6.5, 0.55),
    "cut_lettuce": (26, 0.5),
    "place_lettuce_into_bowl": (7.7, 0.5),
    "add_salt": (7.5, 0.3),
    "add_vinegar": (15, 0.32),
    "add_oil": (17, 0.36),
    "add_pepper": (8, 0.36),
    "mix_dressing": (11.5, 0.55),
    "peel_cucumber": (39, 0.42),
    "cut_cucumber": (26, 0.55),
    "place_cucumber_into_bowl": (8.5, 0.6),
    "add_dressing": (16, 0.45),
    "mix_ingredients": (13.5, 0.45),
    "serve_salad_onto_plate": (20, 0.4),
    "action_start": (17, 0.35),
    "action_end": (17, 0.35),
}

CLASS_NAMES = tuple(DURATIONS)


@dataclass(frozen=True)
class Step:
    """One action.

    Attributes:
        label: its class.
        verb: how it moves (a name in `lib.demo.actions.VERBS`).
        thing: what it is done to or with.
        seconds: how long.
        upto: the share of a food that is done when it ends (a food may be cut in two rounds).
    """

    label: str
    verb: str
    thing: str
    seconds: float
    upto: float = 1.0


def compressed(seconds: float) -> float:
    """Real duration -> the demo's: d' = (0.8 d)^0.6 s; long actions shrink more than short ones.

    >>> round(compressed(30), 1), round(compressed(6), 1)
    (6.7, 2.6)
    """
    return (0.8 * seconds) ** 0.6


def salad(rng: np.random.Generator, pace: float) -> list[Step]:
    """The steps of one video.

    Args:
        rng: decides the order and the durations.
        pace: factor on all durations.
    """
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
    """Every food peeled, cut and placed; (label, upto)."""
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
    """Oil, vinegar, salt and pepper into the cup, mixed; now and then one of them comes after the mixing."""
    liquids, spices = rng.permutation(["add_oil", "add_vinegar"]), rng.permutation(["add_salt", "add_pepper"])
    order = [*liquids, *spices] if rng.random() < 0.6 else list(rng.permutation([*liquids, *spices]))
    steps = [(str(label), 1.0) for label in order] + [("mix_dressing", 1.0)]
    if rng.random() < 0.15:
        late = steps.pop(int(rng.integers(4)))
        steps += [late, ("mix_dressing", 1.0)]
    return steps


def _step(label: str, upto: float, pace: float, rng: np.random.Generator) -> Step:
    median, spread = DURATIONS[label]
    seconds = pace * compressed(median * np.exp(spread * np.clip(rng.normal(), -1.8, 1.8)))
    verb, thing = verb_of(label)
    return Step(label, verb, thing, float(seconds), upto)


def verb_of(label: str) -> tuple[str, str]:
    """How a class moves, and what it is about.

    >>> verb_of("place_tomato_into_bowl"), verb_of("add_oil")
    (('place', 'tomato'), ('pour', 'oil'))
    """
    first, _, rest = label.partition("_")
    match first, rest:
        case "add", "oil" | "vinegar":
            return "pour", rest
        case "add", "salt" | "pepper":
            return "shake", rest
        case "add", "dressing":
            return "dress", "cup"
        case "mix", "dressing":
            return "stir", "cup"
        case "mix", "ingredients":
            return "stir", "bowl"
        case "serve", _:
            return "serve", "plate"
        case "action", _:
            return rest, "nothing"
    return first, rest.partition("_")[0]


HELD_OUT = ("cut_cheese", "cut_cucumber", "place_tomato_into_bowl", "place_lettuce_into_bowl")
ALLOWED = tuple(" ".join(verb_of(name)) for name in CLASS_NAMES if name not in HELD_OUT)
SHORTEST, LONGEST = 2.5, 7.0  # seconds of a step
SALAD_WEIGHT = 1.8  # how much oftener a kind of step occurs that the salads have: so they make up half
DISORDER = 1.5  # how far a step wanders from its turn in the recipe


@dataclass(frozen=True)
class Dish:
    """A dish and the kinds of steps ("verb thing") that it may have, in the order of the recipe.

    Attributes:
        category: of HowTo100M's kind, several dishes each.
        name: what the video is about.
        bowl: what a narrator calls that which is in the bowl.
        cup: the same for the cup.
        bottles: the two liquids on the table.
        shakers: the two spices on the table.
        kinds: steps.
    """

    category: str
    name: str
    bowl: str
    cup: str
    bottles: tuple[str, str]
    shakers: tuple[str, str]
    kinds: tuple[str, ...]


def _dish(category: str, name: str, words: str, liquids: str, spices: str, foods: str) -> Dish:
    """A dish from its words; pouring, seasoning, stirring and serving belong to any."""
    bowl, cup = words.split(", ")
    first, second = liquids.split()
    third, fourth = spices.split()
    cooking = (f"pour {first}", f"pour {second}", f"shake {third}", f"shake {fourth}", "stir cup", "stir bowl")
    kinds = ("start nothing", *foods.split(", "), *cooking, "dress cup", "serve plate", "end nothing")
    return Dish(category, name, bowl, cup, (first, second), (third, fourth), kinds)


# fmt: off
DISHES = (
    _dish("Salads", "Garden salad", "salad, dressing", "oil vinegar", "salt pepper",
          "cut tomato, peel cucumber, place cucumber, place cheese"),
    _dish("Salads", "Green salad", "salad, vinaigrette", "oil vinegar", "salt herbs",
          "cut lettuce, cut spinach, place spinach, place cheese"),
    _dish("Salads", "Apple slaw", "slaw, dressing", "juice vinegar", "sugar pepper",
          "grate carrot, grate apple, place carrot, cut leek"),
    _dish("Dressings", "Vinaigrette", "salad, vinaigrette", "oil vinegar", "salt pepper",
          "cut lettuce, place leek, wipe nothing"),
    _dish("Dressings", "Herb dressing", "greens, dressing", "oil vinegar", "herbs salt",
          "cut lettuce, place spinach, wipe nothing"),
    _dish("Soups", "Leek soup", "soup, stock", "milk wine", "salt herbs",
          "cut leek, place leek, peel potato, cut potato, place potato"),
    _dish("Soups", "Carrot soup", "soup, broth", "oil milk", "pepper cinnamon",
          "peel carrot, cut carrot, place carrot, mash bowl"),
    _dish("Soups", "Cold cucumber soup", "soup, sauce", "oil vinegar", "salt pepper",
          "peel cucumber, place cucumber, cut tomato, cut spinach"),
    _dish("Baking", "Bread rolls", "dough, glaze", "milk oil", "salt sugar",
          "knead bread, roll nothing, cut butter, cut bread, wipe nothing"),
    _dish("Baking", "Apple pie", "filling, syrup", "milk juice", "sugar cinnamon",
          "roll nothing, peel apple, cut apple, place apple, cut butter, wipe nothing"),
    _dish("Baking", "Cheese tart", "filling, glaze", "milk vinegar", "pepper herbs",
          "knead bread, roll nothing, cut tomato, place cheese, spread butter"),
    _dish("Fruit", "Apple sauce", "apple sauce, syrup", "juice wine", "sugar cinnamon",
          "peel apple, grate apple, place apple, mash bowl"),
    _dish("Fruit", "Fruit bowl", "fruit, sauce", "juice milk", "sugar cinnamon",
          "cut apple, place apple, peel cucumber, grate carrot, place cucumber"),
    _dish("Drinks", "Hot wine", "fruit, syrup", "wine juice", "cinnamon sugar",
          "cut apple, peel carrot, wipe nothing"),
    _dish("Drinks", "Cucumber cooler", "fruit, syrup", "juice vinegar", "salt herbs",
          "peel cucumber, place cucumber, cut leek, wipe nothing"),
    _dish("Sandwiches", "Cheese sandwich", "filling, sauce", "oil wine", "pepper herbs",
          "cut bread, spread butter, cut tomato, cut lettuce, place cheese"),
    _dish("Sandwiches", "Cucumber sandwich", "filling, dressing", "oil vinegar", "salt pepper",
          "knead bread, cut bread, spread butter, peel cucumber, place cucumber"),
    _dish("Vegetables", "Aubergine bake", "vegetables, marinade", "oil wine", "salt herbs",
          "peel aubergine, cut aubergine, place aubergine, cut tomato, place cheese"),
    _dish("Vegetables", "Mashed potato", "potatoes, gravy", "milk oil", "salt pepper",
          "peel potato, cut potato, place potato, mash bowl, cut butter, grate carrot"),
    _dish("Vegetables", "Vegetable pan", "vegetables, sauce", "wine vinegar", "pepper cinnamon",
          "peel carrot, cut carrot, grate potato, peel aubergine, cut aubergine, place aubergine, cut lettuce"),
)


# fmt: on
OFTEN = Counter(kind for dish in DISHES for kind in dish.kinds)


def plan(dish: Dish, seconds: float, fps: float, rng: np.random.Generator) -> list[Step]:
    """The steps of one video of the dish.

    Kinds are drawn so that, over all dishes, each occurs about as often as others of its sort (the salads' or not).

    Args:
        dish: gives the kinds of steps; none comes twice.
        seconds: of the video.
        fps: frames a second; steps last whole frames.
        rng: decides which, in what order, and how long.
    """
    count = min(len(dish.kinds), max(1, round(2 * seconds / (SHORTEST + LONGEST))))
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
    """So many lengths between the shortest and the longest, stretched or squeezed within them to the sum."""
    lengths = rng.uniform(SHORTEST, LONGEST, count)
    room = (LONGEST if lengths.sum() < seconds else SHORTEST) - lengths
    lengths += room * (seconds - lengths.sum()) / room.sum()
    ends = np.round(np.cumsum(lengths) * fps)
    return (np.diff(ends, prepend=0) / fps).tolist()
