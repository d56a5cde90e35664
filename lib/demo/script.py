"""What a person does and for how long: a salad in the free order that the people of 50 Salads had (thesis 2.1.1).

The order is a small grammar in the manner of the data set: foods cut and placed one by one (or placed later, or cut in
two rounds), the dressing before or after them, mixing, serving. Durations follow the data set's, compressed.
"""

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
