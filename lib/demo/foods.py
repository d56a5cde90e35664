"""Foods: form, size and colours. The four of the salads, and others for clips and videos of a wider domain."""

from dataclasses import dataclass

import numpy as np

from lib.demo.draw import Colour, Points, box, capsule, ellipse, hsv, leafy

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
