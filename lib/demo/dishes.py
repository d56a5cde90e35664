"""What is done in the demo's narrated videos, which stand for HowTo100M's (thesis 2.1.2; Miech et al., ICCV 2019).

Dishes of eight categories. About half of the steps are such as the fifty videos' salads have, but some food-action
pairs of the salads are held out for good: each food and each verb occurs, these pairs never do. A model that knows them
after pre-training has put them together from what it saw and heard of others.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from lib.demo.script import CLASS_NAMES, Step, verb_of

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
