"""The kitchen seen from above: table, board and clutter once; vessels, foods, tools and hands in every frame."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

from lib.demo.draw import Canvas, box, capsule, ellipse, mix, shade, unit
from lib.demo.kitchen import PIECES, TOOLS, VESSELS, Kitchen, Thing
from lib.demo.world import Hand, World

PARTS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
SHAPES = {"box": box, "ellipse": ellipse, "capsule": capsule}
REACH = 1.5  # half the side of the canvas in units; the camera sees about half of it
SIDE = 192  # pixels
SCATTER = 0.8 * np.sqrt((np.arange(15) + 0.5) / 15) * np.exp(2.4j * np.arange(15))  # places in a vessel of radius 1


def vessel(canvas: Canvas, world: World, name: str, at: complex, size: float = 1.0) -> None:
    """Draw a bowl, plate or cup with its contents, at `at`; `size` is a factor."""
    kitchen, radius, colour = world.kitchen, size * world.kitchen.radius[name], world.kitchen.colours[name]
    canvas.disc(at + 0.02 + 0.03j, radius, shade(kitchen.colours["table"], 0.65))
    canvas.disc(at, radius, colour)
    canvas.disc(at, 0.82 * radius, shade(colour, 0.96 if name == "plate" else 0.78))
    inside = world.inside[name]
    if name == "cup":
        level = min(1.0, sum(inside.values()) / 2)
        if level > 0.05:
            first, second = (kitchen.colours[bottle] for bottle in kitchen.bottles)
            liquid = mix(first, second, 0.3 + 0.4 * world.mixed)
            canvas.disc(at, radius * (0.35 + 0.4 * level), liquid)
            canvas.disc(at + 0.3 * radius * unit(np.rad2deg(world.angle["cup"])), 0.2 * radius, shade(liquid, 0.8))
        return
    turn = np.exp(1j * world.angle[name])
    for j, (food, share) in enumerate(inside.items()):
        look = kitchen.foods[food]
        count = round(min(share, 1.0) * PIECES)
        spots = at + radius * 0.85 * turn * np.roll(SCATTER, 4 * j)[:PIECES]
        for k, spot in enumerate(spots[:count]):
            canvas.fill(spot + turn * look.pieces[k], look.flesh if k % 3 else look.skin)


def tool(canvas: Canvas, kitchen: Kitchen, name: str, at: complex, points: complex) -> None:
    """Draw a tool or bottle whose grip is at `at`, part by part as picture.yaml lists them."""
    for part in PARTS.get(name) or PARTS["bottle" if name in kitchen.bottles else "shaker"]:
        colour = kitchen.colours[part.get("colour", name)]
        colour = mix(shade(colour, part.get("shade", 1.0)), (255, 255, 255), part.get("white", 0.0))
        middle = part.get("at", 0.0)
        if "line" in part:
            canvas.line(at + points * (np.array(part["line"]) + 1j * part["across"]), colour, 0.02)
        elif "dots" in part:
            canvas.dots(at + points * (middle + part["within"] * SCATTER[:9]), part["dots"], colour)
        else:
            (outline,) = (shape(*part[form]) for form, shape in SHAPES.items() if form in part)
            canvas.fill(at + points * (middle + outline), colour)


def background(kitchen: Kitchen, rng: np.random.Generator) -> np.ndarray:
    """Draw what never moves: (SIDE, SIDE, 3) uint8."""
    kind, period, direction = kitchen.pattern
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) * (2 * REACH / SIDE) - REACH
    along, across = x * direction.real + y * direction.imag, y * direction.real - x * direction.imag
    match kind:
        case "stripes":
            pattern = np.sign(np.sin(2 * np.pi * along / period))
        case "checks":
            pattern = np.sign(np.sin(2 * np.pi * along / period) * np.sin(2 * np.pi * across / period))
        case "grain":
            pattern = np.sin(2 * np.pi * along / period + 2 * np.sin(3 * across + 4 * along))
        case _:
            pattern = np.zeros_like(x)
    pattern = 1 + 0.1 * pattern + rng.normal(0, 0.03, x.shape)
    image = np.clip(pattern[..., None] * np.array(kitchen.colours["table"]), 0, 255).astype(np.uint8)
    canvas, board = Canvas(image, REACH), kitchen.places["board"]
    canvas.fill(board + 0.03 + 0.04j + kitchen.board, shade(kitchen.colours["table"], 0.6))
    canvas.fill(board + kitchen.board, kitchen.colours["board"])
    canvas.fill(board + 0.93 * kitchen.board, shade(kitchen.colours["board"], 0.93))
    for thing in kitchen.clutter:
        _clutter(canvas, thing)
    return image


def _clutter(canvas: Canvas, thing: Thing) -> None:
    match thing.form:
        case "box":
            canvas.fill(thing.place + thing.turn * box(thing.size, 0.6 * thing.size), thing.colour)
            canvas.fill(thing.place + thing.turn * box(0.6 * thing.size, 0.2 * thing.size), shade(thing.colour, 0.7))
        case "disc":
            canvas.disc(thing.place, thing.size, thing.colour)
            canvas.ring(thing.place, 0.7 * thing.size, shade(thing.colour, 0.8))
        case "leaf":
            canvas.fill(thing.place + thing.turn * ellipse(thing.size, 0.4 * thing.size), thing.colour)
        case _:
            canvas.dots(thing.place + 1.3 * thing.size * SCATTER[:8], 0.03, thing.colour)


class Scene:
    """Paints the kitchen, from the table upwards; what has not moved since the last frame is painted once."""

    def __init__(self, kitchen: Kitchen, rng: np.random.Generator) -> None:
        self.background = background(kitchen, rng)
        self.still: dict[str, tuple[object, np.ndarray]] = {}  # layer -> state, the picture up to it

    def paint(self, world: World) -> np.ndarray:
        """Draw the kitchen at this moment: (SIDE, SIDE, 3) uint8."""
        held = {world.right.holds, world.left.holds}
        used = {*world.board, *world.inside["bowl"], *world.inside["plate"]}
        lying = (*held, *used, *world.places.values())
        filled = (lying, world.mixed, *world.angle.values(), *(tuple(part.items()) for part in world.inside.values()))
        image = self._layer("lying", lying, self.background, lambda canvas: _lying(canvas, world, held, used))
        image = self._layer("vessels", filled, image, lambda canvas: _vessels(canvas, world, held))
        image = image.copy()
        _work(Canvas(image, REACH), world)
        return image

    def _layer(self, name: str, state: object, below: np.ndarray, draw: Callable[[Canvas], None]) -> np.ndarray:
        if name not in self.still or self.still[name][0] != state:
            image = below.copy()
            draw(Canvas(image, REACH))
            self.still[name] = (state, image)
        return self.still[name][1]


def _lying(canvas: Canvas, world: World, held: set[str], used: set[str]) -> None:
    """Draw the foods, seasonings and tools that nobody uses."""
    kitchen = world.kitchen
    for name in kitchen.foods:
        if name not in used:
            _whole(canvas, world, name, world.places[name], kitchen.turns[name], 0.0, 0.0)
    for name in (*kitchen.bottles, *kitchen.shakers, *TOOLS):
        if name not in held:
            tool(canvas, kitchen, name, world.places[name], kitchen.turns[name])


def _vessels(canvas: Canvas, world: World, held: set[str]) -> None:
    for name in VESSELS:
        if name not in held:
            vessel(canvas, world, name, world.places[name])


def _work(canvas: Canvas, world: World) -> None:
    """Draw the food on the board, what is poured or shaken, arms and hands."""
    kitchen = world.kitchen
    for name, portion in world.board.items():
        _whole(canvas, world, name, portion.spot, portion.turn, portion.cut, portion.peeled)
        _pieces(canvas, world, name)
    if world.stream:
        source, target, colour = world.stream
        canvas.line(np.array([source, (source + target) / 2 + 0.03j, target]), colour, 0.05)
    if world.specks:
        target, colour = world.specks
        spread = world.rng.normal(0, 0.07, (7, 2)) @ np.array([1, 1j])
        canvas.dots(target - 0.05j + spread, 0.018, colour)
    for hand, root in ((world.left, kitchen.roots[1]), (world.right, kitchen.roots[0])):
        _arm(canvas, world, hand, root)


def _whole(canvas: Canvas, world: World, name: str, at: complex, turn: complex, cut: float, peeled: float) -> None:
    """Draw the whole part of a food: its end is cut off at `cut`, its skin gone up to `peeled`."""
    if cut > 0.97:
        return
    look = world.kitchen.foods[name]
    edge = look.length * (1 - 2 * cut)
    shape = np.minimum(look.outline.real, edge) + 1j * look.outline.imag
    canvas.fill(at + turn * (shape + 0.015 + 0.025j), shade(look.skin, 0.5))
    canvas.fill(at + turn * shape, look.skin)
    match look.form:
        case "leafy":
            canvas.fill(at + turn * 0.55 * shape, mix(look.skin, look.flesh, 0.7))
        case "round":
            canvas.disc(at + turn * (min(0.0, edge) - 0.03 - 0.04j), 0.035, mix(look.skin, (255, 255, 255), 0.5))
    if peeled > 0.03:  # strips of pale flesh, one below the other
        bare = np.minimum(look.outline.imag, np.max(look.outline.imag) * (2 * peeled - 1))
        canvas.fill(at + turn * (0.97 * shape.real + 0.9j * bare), look.flesh)
        strips = at + turn * (look.spread - 0.25 + 0.2j * np.sign(look.spread.imag))
        for k in range(round(peeled * 6)):
            canvas.line(strips[k] + np.array([0, 0.1 * turn * unit(50 * k)]), look.skin, 0.03)
    if cut > 0.03:
        canvas.line(at + turn * (edge + np.array([-0.05j, 0.05j])), look.flesh, 0.04)


def _pieces(canvas: Canvas, world: World, name: str) -> None:
    look, portion = world.kitchen.foods[name], world.board[name]
    first, last = round(PIECES * portion.gone), round(PIECES * portion.cut)
    rim = shade(look.flesh, 0.7) if portion.peeled > 0.5 else look.skin
    for k in range(first, last):
        outline = portion.turn * look.pieces[k]
        spot = portion.spot + portion.turn * look.spread[k]
        canvas.fill(spot + 1.25 * outline, rim)
        canvas.fill(spot + 0.9 * outline, look.flesh)


def _arm(canvas: Canvas, world: World, hand: Hand, root: complex) -> None:
    """Draw a forearm, its hand, what it holds, and the fingers around it."""
    skin, kitchen = world.kitchen.colours["skin"], world.kitchen
    wrist = hand.place + 0.06j
    along = (wrist - root) / (abs(wrist - root) + 1e-6)
    arm = np.array([0.09j, 0.055j, -0.055j, -0.09j]) * along
    # a dark edge, because skin and boards often have the same colour
    edge = shade(skin, 0.5)
    canvas.fill(np.array([root, wrist, wrist, root]) + 1.3 * arm, edge)
    canvas.disc(hand.place, 0.09, edge)
    canvas.fill(np.array([root, wrist, wrist, root]) + arm, skin)
    if kitchen.sleeve:
        cuff = root + kitchen.sleeve * (wrist - root)
        canvas.fill(np.array([root, cuff, cuff, root]) + 1.15 * arm, kitchen.colours["sleeve"])
    canvas.disc(hand.place, 0.075, skin)
    if hand.holds == "cup":
        vessel(canvas, world, "cup", hand.place + 0.12 * hand.points, 0.9)
    elif hand.holds:
        tool(canvas, kitchen, hand.holds, hand.place, hand.points)
    fingers = (hand.points if hand.holds else along) * unit(50)
    canvas.fill(hand.place + fingers * (0.02 + ellipse(0.07, 0.035)), shade(skin, 0.88))
    canvas.fill(hand.place + along * unit(-60) * (0.07 + ellipse(0.05, 0.028)), shade(skin, 0.78))
    if world.carried and hand is world.right:
        food, count, at = world.carried
        look = kitchen.foods[food]
        for k in range(count):
            canvas.fill(at + 0.05 * unit(120 * k) + look.pieces[k], look.flesh if k else look.skin)
