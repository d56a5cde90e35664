"""Actions of a wider domain than the salads': other tools and motions, for training clips and narrated videos."""

from lib.demo.draw import unit
from lib.demo.moment import Moment, bring
from lib.demo.world import World


def grate(world: World, now: Moment) -> None:
    """The food rubbed up and down a grater on the board; shreds fall."""
    portion, habits = world.portion(now.thing), world.kitchen.habits
    grater = portion.spot + 0.25j
    if bring(world, now):
        world.left.do(grater, "grater", -1j)
        return
    portion.cut = now.on(portion.cut, 0.0)
    portion.spot = grater - 0.28j + 0.13j * now.wave(1.2 * habits["peel_hz"])
    world.left.do(grater, "grater", -1j)
    world.right.do(portion.spot + 0.04j)


def mash(world: World, now: Moment) -> None:
    """A masher pressed down into the bowl again and again."""
    there, wave = world.places["bowl"], now.wave(1.5 * world.kitchen.habits["stir_hz"])
    points = unit(-75 + world.kitchen.habits["grip"])
    world.right.do(there - 0.3 * points, "masher", points, 0.1 * wave * points)
    world.left.do(there - world.kitchen.radius["bowl"] * unit(-20))
    world.angle["bowl"] += 0.02


def roll(world: World, now: Moment) -> None:
    """A rolling pin pushed to and fro with both hands."""
    board, swing = world.places["board"], 0.16j * now.wave(0.9 * world.kitchen.habits["peel_hz"])
    world.right.do(board + 0.28, "pin", -1.0 + 0j, swing)
    world.left.do(board - 0.24, "", None, swing)


def knead(world: World, now: Moment) -> None:
    """Both hands push the food into the board, one after the other."""
    portion, hz = world.portion(now.thing), world.kitchen.habits["stir_hz"]
    portion.turn *= unit(2)
    world.right.do(portion.spot + 0.07, "", None, 0.07j * now.wave(hz))
    world.left.do(portion.spot - 0.07, "", None, -0.07j * now.wave(hz))


def spread(world: World, now: Moment) -> None:
    """A knife laid flat, drawn slowly over a food in wide strokes."""
    portion, look = world.portion(now.thing), world.kitchen.foods[now.thing]
    portion.peeled = now.on(portion.peeled)
    tool = portion.turn * unit(-20 + world.kitchen.habits["grip"])
    stroke = 0.9 * look.length * now.wave(0.6) * portion.turn + 0.05j * now.wave(0.37)
    world.right.do(portion.spot - 0.3 * tool, "knife", tool, stroke)
    world.left.do(portion.spot - portion.turn * look.length)


def wipe(world: World, now: Moment) -> None:
    """A cloth in wide circles over the table."""
    swing = 0.3 * now.circle(0.7).real + 0.2j * now.circle(0.7).imag
    world.right.do(world.places["plate"] * 0.5, "cloth", -1j, swing)


CRAFTS = {"grate": grate, "mash": mash, "roll": roll, "knead": knead, "spread": spread, "wipe": wipe}
