"""A person's kitchen: looks, places, habits, camera and light (thesis 2.1.1: 25 people, two salads each).

They vary so much from person to person that neither a position nor a colour gives an action away: a backbone has to
know what hands and tools do. Form, size and colours of the foods are in kitchen.yaml: the four of the salads, and
others for clips and videos of a wider domain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from lib.demo.draw import Colour, Points, box, capsule, ellipse, hsv, leafy, unit

LISTS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
PIECES = 9  # into which a food is cut
LIQUIDS, SPICES = LISTS["liquids"], LISTS["spices"]  # hue, saturation, value
PATTERNS = ("plain", "stripes", "checks", "grain")  # of the table
VESSELS = ("bowl", "plate", "cup")
TOOLS = ("knife", "peeler", "spoon", "whisk", "cloth")
CORNERS = (-0.56 - 0.42j, 0.02 - 0.56j, 0.58 - 0.42j, 0.64 + 0.16j, -0.64 + 0.16j)


@dataclass(frozen=True)
class Food:
    """A kind of food: `skin` and `flesh` as hue (degrees), saturation, value; sizes are half axes in kitchen units."""

    form: str  # round, block, long, leafy
    length: float
    width: float
    skin: list[float]
    flesh: list[float]


FOODS = {name: Food(**food) for name, food in LISTS["foods"].items()}


@dataclass(frozen=True)
class Look:
    """A food as one person bought it: outline (M,) and piece outlines (PIECES, m) around 0, colours."""

    form: str
    length: float
    outline: Points
    pieces: Points
    spread: Points  # (PIECES,) where the pieces end up, in order of cutting
    skin: Colour
    flesh: Colour


def look(food: Food, variety: float, rng: np.random.Generator) -> Look:
    """Give a food this person's size, ripeness and shape, which vary by `variety`; 0: not at all."""
    size = 1 + variety * rng.uniform(-0.08, 0.08)
    length, width = food.length * size, food.width * size * (1 + variety * rng.uniform(-0.06, 0.06))
    hue = variety * rng.normal(0, 2.4)
    fade, dim = 1 + variety * rng.uniform(-0.1, 0.06), 1 + variety * rng.uniform(-0.08, 0.04)
    skin, flesh = (hsv(h + hue, s * fade, v * dim) for h, s, v in (food.skin, food.flesh))
    slices = 2 * length / PIECES
    match food.form:
        case "long":
            outline, piece = capsule(length, width), ellipse(width, width, 9)
        case "block":
            outline, piece = box(0.92 * length, 0.92 * width), ellipse(0.06, 0.05, 4)
        case "leafy":
            outline, piece = leafy(length, rng), leafy(0.085, rng)
        case _:
            outline, piece = ellipse(length, width), ellipse(0.075, 0.05, 7)
    turns = np.exp(1j * rng.uniform(-np.pi, np.pi, PIECES))
    along = length - slices * (np.arange(PIECES) + 0.5)
    spread = along + rng.uniform(0.05, 0.22, PIECES) + 1j * rng.uniform(-0.17, 0.17, PIECES)
    return Look(food.form, length, outline, turns[:, None] * piece, spread, skin, flesh)


@dataclass(frozen=True)
class Thing:
    """Clutter: something on the table that nobody uses."""

    form: str  # box, disc, leaf, crumbs
    place: complex
    size: float
    turn: complex
    colour: Colour


@dataclass
class Kitchen:
    """A kitchen: lengths in units (the camera sees about 1.25), angles as unit numbers, y towards the person."""

    foods: dict[str, Look]
    bottles: tuple[str, str]
    shakers: tuple[str, str]
    colours: dict[str, Colour]
    places: dict[str, complex]
    turns: dict[str, complex]
    board: Points  # outline (4,) around its middle, turned
    radius: dict[str, float]  # of the vessels
    pattern: tuple[str, float, complex]  # of the table: kind, period, direction
    clutter: list[Thing]
    sleeve: float  # covered share of the arm
    roots: tuple[complex, complex]  # where the arms enter: right, left
    habits: dict[str, float]
    camera: dict[str, float]
    light: dict[str, np.ndarray]  # gain of blue, green, red; slope along x and y
    noise: float  # standard deviation of a pixel


def kitchen(
    variety: float,
    foods: Sequence[str],
    person: np.random.Generator,
    session: np.random.Generator,
    bottles: tuple[str, str] = ("oil", "vinegar"),
    shakers: tuple[str, str] = ("salt", "pepper"),
) -> Kitchen:
    """Make a kitchen and its owner.

    Args:
        variety: factor on differences in places, sizes, camera and light; colours and layout always differ.
        person: decides what belongs to a person: looks, habits, the layout of the table.
        session: decides what changes between two videos of a person: light, camera, exact places.
        shakers: what is shaken; some people have the second in a mill.
    """
    seasonings = (*bottles, *shakers)
    middle = complex(0.03 + variety * person.normal(0, 0.04), 0.2 + variety * person.normal(0, 0.03))
    turn = unit(variety * person.normal(0, 3.6))
    board = turn * person.uniform(0.9, 1.15) * np.array([-0.46 - 0.31j, 0.46 - 0.31j, 0.46 + 0.31j, -0.46 + 0.31j])
    radius = {"bowl": 0.26, "plate": 0.26, "cup": 0.17}
    return Kitchen(
        bottles=bottles,
        shakers=shakers,
        foods={name: look(FOODS[name], variety, person) for name in foods},
        colours=_colours(person),
        places=_places(middle, turn, foods, seasonings, variety, person, session),
        turns={name: unit(variety * person.normal(0, 16)) * -1j for name in (*seasonings, *TOOLS)}
        | {name: unit(person.uniform(0, 360)) for name in foods},
        board=board,
        radius={name: size * (1 + variety * person.uniform(-0.07, 0.07)) for name, size in radius.items()},
        pattern=(str(person.choice(PATTERNS)), person.uniform(0.08, 0.4), unit(person.uniform(0, 180))),
        clutter=_clutter(int(session.integers(2, 7)), person, session),
        sleeve=float(person.choice([0.0, 0.45, 0.85, 0.9])),
        roots=(complex(person.uniform(0.2, 0.6), 1.7), complex(person.uniform(-0.6, -0.2), 1.7)),
        habits={
            name: person.uniform(*drawn) if isinstance(drawn, list) else float(person.random() < drawn)
            for name, drawn in LISTS["habits"].items()
        },
        camera={
            "rotation": variety * (person.normal(0, 6.5) + session.normal(0, 1.6)),
            "zoom": float(1.6 * np.exp(variety * (person.uniform(-0.07, 0.07) + session.normal(0, 0.016)))),
            "x": variety * (person.normal(0, 0.04) + session.normal(0, 0.016)),
            "y": variety * (person.normal(0, 0.04) + session.normal(0, 0.016)) - 0.1,
            "tilt": variety * person.uniform(-0.05, 0.05),
            "mirror": float(person.random() < 0.2 * variety),
            "unrest": float(variety * person.uniform(0.12, 0.64)),
        },
        light={
            "gain": np.exp(
                variety * (person.normal(0, 0.055, 3) + session.normal(0, 0.02, 3) + session.uniform(-0.14, 0.08))
            ),
            "slope": variety * session.normal(0, 0.09, 2),
        },
        noise=person.uniform(1, 5),
    )


def _colours(rng: np.random.Generator) -> dict[str, Colour]:
    grey = rng.uniform(0.45, 0.95)
    wood = hsv(rng.uniform(22, 40), rng.uniform(0.3, 0.65), rng.uniform(0.45, 0.9))
    plastic = hsv(rng.uniform(0, 360), rng.uniform(0.2, 0.75), rng.uniform(0.45, 0.95))
    white = hsv(rng.uniform(0, 360), rng.uniform(0, 0.08), rng.uniform(0.8, 1))
    bright = [hsv(rng.uniform(0, 360), rng.uniform(0.2, 0.9), rng.uniform(0.3, 0.95)) for _ in range(8)]
    amber = rng.normal(46, 5)  # oil and vinegar: two shades of the same
    return {
        "table": hsv(rng.uniform(0, 360), rng.uniform(0, 0.5) ** 1.3, rng.uniform(0.25, 0.9)),
        "board": [wood, plastic, white][rng.choice(3, p=[0.5, 0.3, 0.2])],
        "bowl": [white, (grey * 235, grey * 235, grey * 230), bright[0]][rng.integers(3)],
        "plate": [white, white, bright[1]][rng.integers(3)],
        "cup": hsv(200, 0.06, rng.uniform(0.75, 0.95)),
        "oil": hsv(amber + 5, rng.uniform(0.6, 0.8), rng.uniform(0.75, 0.9)),
        "vinegar": hsv(amber - 15, rng.uniform(0.6, 0.85), rng.uniform(0.5, 0.68)),
        "cap": bright[2],
        "salt": hsv(210, 0.05, 0.97),
        "pepper": hsv(20, 0.35, rng.uniform(0.14, 0.28)),
        **{name: hsv(hue + rng.normal(0, 4), s, v) for name, (hue, s, v) in (LIQUIDS | SPICES).items()},
        "handle": [hsv(0, 0, 0.12), wood, bright[3]][rng.integers(3)],
        "blade": (225 * grey, 220 * grey, 215 * grey),
        "peeler": bright[4],
        "spoon": [wood, (grey * 220, grey * 220, grey * 215), bright[5]][rng.integers(3)],
        "whisk": (grey * 230, grey * 225, grey * 220),
        "cloth": bright[6],
        "skin": hsv(rng.uniform(12, 28), rng.uniform(0.3, 0.6), rng.uniform(0.42, 0.95)),
        "sleeve": bright[7] if rng.random() < 0.75 else hsv(0, 0, rng.uniform(0.1, 0.9)),
    }


def _places(
    middle: complex,
    turn: complex,
    foods: Sequence[str],
    seasonings: Sequence[str],
    variety: float,
    person: np.random.Generator,
    session: np.random.Generator,
) -> dict[str, complex]:
    """Places of vessels, bottles and foods on the five corners around the board, in this person's order."""

    def near(spread: float, rng: np.random.Generator = person) -> complex:
        return complex(rng.normal(0, spread), rng.normal(0, spread))

    corners = [CORNERS[i] + variety * near(0.028) for i in person.permutation(5)]
    places = {"board": middle, "bowl": corners[0], "plate": corners[1], "cup": corners[2]}
    if person.random() < 0.35:  # the cup among the bottles
        places["cup"] = corners[3] + 0.1
    step = unit(person.uniform(0, 180)) * 0.17
    places |= {name: corners[3] + step * (i - 1.5) for i, name in zip(person.permutation(4), seasonings, strict=True)}
    store = corners[4] if person.random() < 0.6 else middle - turn * person.uniform(0.15, 0.4) * 1j
    places |= {name: store + near(0.17) for name in foods}
    places |= {name: middle + complex(person.uniform(-0.75, 0.75), person.uniform(0.3, 0.5)) for name in TOOLS}
    return {name: place + variety * near(0.012, session) for name, place in places.items()}


def _clutter(count: int, person: np.random.Generator, session: np.random.Generator) -> list[Thing]:
    """Make clutter: towels, packets, peelings, fruit, often in the colours of foods."""
    things = []
    for _ in range(count):
        angle, far = session.uniform(0, 360), session.uniform(0.55, 1.2)
        hue = person.choice([4, 46, 95, 112, person.uniform(0, 360)])
        colour = hsv(hue, person.uniform(0.2, 0.9), person.uniform(0.4, 1))
        form = str(session.choice(["box", "disc", "leaf", "crumbs"]))
        size, turn = session.uniform(0.06, 0.2), unit(session.uniform(0, 180))
        things.append(Thing(form, unit(angle) * far, size, turn, colour))
    return things
