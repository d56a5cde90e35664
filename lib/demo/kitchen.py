"""A person's kitchen: looks, places, habits, camera and light (thesis 2.1.1: 25 people, two salads each).

They vary so much from person to person that neither a position nor a colour gives an action away: a backbone has to
know what hands and tools do.

Foods: form, size and colours. The four of the salads, and others for clips and videos of a wider domain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.demo.draw import Colour, Points, box, capsule, ellipse, hsv, leafy, unit

PIECES = 9  # a food is cut into so many pieces


@dataclass(frozen=True)
class Food:
    """`skin` and `flesh` as hue (degrees), saturation, value; sizes are half axes in units of the kitchen."""

    form: str  # round, block, long, leafy
    length: float
    width: float
    skin: tuple[float, float, float]
    flesh: tuple[float, float, float]


FOODS = {
    "tomato": Food("round", 0.16, 0.14, (4, 0.85, 0.8), (8, 0.68, 0.88)),
    "cheese": Food("block", 0.19, 0.12, (46, 0.55, 0.95), (50, 0.4, 0.98)),
    "lettuce": Food("leafy", 0.2, 0.18, (98, 0.62, 0.68), (88, 0.42, 0.84)),
    "cucumber": Food("long", 0.33, 0.08, (112, 0.68, 0.42), (92, 0.36, 0.82)),
    "apple": Food("round", 0.15, 0.14, (355, 0.75, 0.7), (55, 0.25, 0.95)),
    "potato": Food("round", 0.17, 0.12, (38, 0.5, 0.68), (48, 0.35, 0.92)),
    "butter": Food("block", 0.18, 0.1, (52, 0.45, 1.0), (52, 0.4, 1.0)),
    "bread": Food("block", 0.22, 0.14, (30, 0.65, 0.6), (40, 0.3, 0.92)),
    "spinach": Food("leafy", 0.2, 0.17, (125, 0.7, 0.45), (115, 0.55, 0.6)),
    "carrot": Food("long", 0.3, 0.07, (24, 0.88, 0.92), (28, 0.75, 0.97)),
    "aubergine": Food("long", 0.3, 0.1, (285, 0.5, 0.32), (60, 0.2, 0.9)),
    "leek": Food("long", 0.36, 0.06, (105, 0.5, 0.55), (80, 0.2, 0.95)),
}


@dataclass(frozen=True)
class Look:
    """A food as one person bought it: outline (M,) and piece outlines (PIECES, m) around 0, colours."""

    form: str
    length: float
    outline: Points
    pieces: Points
    spread: Points  # (PIECES,) where the pieces come to lie, in order of cutting
    skin: Colour
    flesh: Colour


def look(food: Food, variety: float, rng: np.random.Generator) -> Look:
    """The food with this person's size, ripeness and shape.

    Args:
        food: what it is.
        variety: how far colours and sizes vary; 0 = not at all.
        rng: decides.
    """
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


LIQUIDS = {"milk": (50, 0.05, 0.98), "juice": (28, 0.9, 0.95), "wine": (345, 0.8, 0.4)}
SPICES = {"sugar": (40, 0.03, 1.0), "cinnamon": (22, 0.7, 0.45), "herbs": (110, 0.5, 0.4)}
VESSELS = ("bowl", "plate", "cup")
TOOLS = ("knife", "peeler", "spoon", "whisk", "cloth")
CORNERS = (-0.56 - 0.42j, 0.02 - 0.56j, 0.58 - 0.42j, 0.64 + 0.16j, -0.64 + 0.16j)


@dataclass(frozen=True)
class Thing:
    """Something that lies about and that nobody uses."""

    form: str  # box, disc, leaf, crumbs
    place: complex
    size: float
    turn: complex
    colour: Colour


@dataclass
class Kitchen:
    """Lengths in units, of which the camera sees about 1.4 at once; angles as unit numbers; y points to the person."""

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
    """A kitchen and its owner.

    Args:
        variety: factor on how far places, sizes, camera and light differ; colours and layout always do.
        foods: names of the foods that lie about.
        person: decides what is a person's: looks, habits, the layout of the table.
        session: decides what changes between two videos of a person: light, the camera, where exactly things lie.
        bottles: what is poured.
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
        pattern=_pattern(person),
        clutter=_clutter(int(session.integers(2, 7)), person, session),
        sleeve=float(person.choice([0.0, 0.45, 0.85, 0.9])),
        roots=(complex(person.uniform(0.2, 0.6), 1.7), complex(person.uniform(-0.6, -0.2), 1.7)),
        habits=_habits(person),
        camera={
            "rotation": variety * (person.normal(0, 6.5) + session.normal(0, 1.6)),
            "zoom": float(1.45 * np.exp(variety * (person.uniform(-0.07, 0.07) + session.normal(0, 0.016)))),
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
        noise=person.uniform(2, 9),
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
    """Vessels, bottles and foods on the five corners around the board, in this person's order."""

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


def _pattern(rng: np.random.Generator) -> tuple[str, float, complex]:
    kind = str(rng.choice(["plain", "stripes", "checks", "grain"]))
    return kind, rng.uniform(0.08, 0.4), unit(rng.uniform(0, 180))


def _clutter(count: int, person: np.random.Generator, session: np.random.Generator) -> list[Thing]:
    """Towels, packets, peelings, fruit: of the colours of foods as often as not."""
    things = []
    for _ in range(count):
        angle, far = session.uniform(0, 360), session.uniform(0.55, 1.2)
        hue = person.choice([4, 46, 95, 112, person.uniform(0, 360)])
        colour = hsv(hue, person.uniform(0.2, 0.9), person.uniform(0.4, 1))
        form = str(session.choice(["box", "disc", "leaf", "crumbs"]))
        size, turn = session.uniform(0.06, 0.2), unit(session.uniform(0, 180))
        things.append(Thing(form, unit(angle) * far, size, turn, colour))
    return things


def _habits(rng: np.random.Generator) -> dict[str, float]:
    return {
        "cut_hz": rng.uniform(1.6, 3.2),
        "cut_reach": rng.uniform(0.05, 0.11),
        "peel_hz": rng.uniform(0.9, 1.6),
        "stir_hz": rng.uniform(0.8, 1.3),
        "whisk_hz": rng.uniform(2.0, 3.2),
        "shake_hz": rng.uniform(2.6, 4.2),
        "trip": rng.uniform(1.0, 1.6),  # seconds of a way to the bowl and back
        "scrape": float(rng.random() < 0.4),  # places with the knife
        "grind": float(rng.random() < 0.5),  # turns the pepper mill instead of shaking
        "grip": rng.uniform(-35, 35),  # degrees that tools are turned in the hand
        "fidget": rng.uniform(0.02, 0.12),  # how often the free hand moves something, a second
        "tremor": rng.uniform(0.004, 0.02),
    }
