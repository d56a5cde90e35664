"""How actions move and change things: one function per verb, called once per frame.

Each gets the world and the moment, sets the goals and swings of the hands and what they hold, and advances shares (cut,
peeled, in the bowl). Habits, the food and the places decide the rest, so no two people look alike. The verbs of the
salads come first, then those of a wider domain, for training clips and narrated videos.
"""

from collections.abc import Callable

import numpy as np

from lib.demo.draw import unit
from lib.demo.world import REACH, Moment, World, bring


def cut(world: World, now: Moment) -> None:
    """Knife strokes across the food; leaves are cut with a rocking blade."""
    habits, look, portion = world.kitchen.habits, world.kitchen.foods[now.thing], world.portion(now.thing)
    edge = portion.spot + portion.turn * look.length * (1 - 2 * portion.cut)
    across = portion.turn * unit(-90 + 0.4 * habits["grip"])
    stroke = habits["cut_reach"] * now.wave(habits["cut_hz"])
    if look.form == "leafy":
        across, stroke = across * unit(16 * now.wave(0.8 * habits["cut_hz"])), 0.4 * stroke
    if bring(world, now):
        world.right.do(edge - 0.27 * across, "knife", across)
        return
    portion.cut = now.on(portion.cut, 0.3)
    world.right.do(edge - 0.27 * across, "knife", across, stroke * across)
    world.left.do(edge - portion.turn * (0.19 + 0.5 * look.length * (1 - portion.cut)))


def peel(world: World, now: Moment) -> None:
    """Peeler strokes along the food: fast forwards, slowly back."""
    habits, look, portion = world.kitchen.habits, world.kitchen.foods[now.thing], world.portion(now.thing)
    along = portion.turn
    phase = (habits["peel_hz"] * now.time) % 1
    slide = look.length * (0.9 - 1.8 * phase / 0.6 if phase < 0.6 else -0.9 + 1.8 * (phase - 0.6) / 0.4)
    tool = -along * unit(habits["grip"])
    if bring(world, now):
        world.right.do(portion.spot - 0.15 * tool, "peeler", tool)
        return
    portion.peeled = now.on(portion.peeled, 0.3)
    world.right.do(portion.spot - 0.15 * tool - 0.06j * along, "peeler", tool, slide * along)
    world.left.do(portion.spot - along * (look.length + 0.06))


def place(world: World, now: Moment) -> None:
    """Pieces carried to the bowl in the hand, or pushed along with the knife."""
    habits, portion = world.kitchen.habits, world.portion(now.thing)
    portion.cut = max(portion.cut, now.upto)
    trips = max(1, round(now.seconds / habits["trip"]))
    phase = now.time * trips / now.seconds % 1
    there = world.places["bowl"]
    scrape = habits["scrape"] > 0
    portion.gone = now.on(portion.gone, 0.4 * now.seconds / trips)
    tool = unit(30 * now.wave(2.0)) * (there - portion.spot) / (abs(there - portion.spot) + 1e-6)
    holds = "knife" if scrape else ""
    if 0.15 < phase < 0.6:
        world.right.do(there - 0.05 * tool, holds, tool)
        world.carried = (now.thing, 3 if phase < 0.5 else 1, world.right.place + 0.14 * tool)
    else:
        world.right.do(portion.spot - 0.1 * tool, holds, tool, 0.05 * now.circle(2.5))
    world.inside["bowl"][now.thing] = portion.gone
    world.left.do(world.places["board"] - 0.4 + 0.1j if scrape else there + world.kitchen.radius["bowl"] * unit(150))
    if portion.gone > 0.999:
        del world.board[now.thing]


def pour(world: World, now: Moment) -> None:
    """A bottle tilted over the cup."""
    there, name = world.places["cup"], now.thing
    side = 1 if world.places[name].real > there.real else -1
    if now.fetching or now.returning:
        near = now.time < REACH / 2 or now.time > now.seconds - REACH / 2
        world.right.do(world.places[name] if near else there + 0.2 * side, name, -1j * unit(side * 20))
        return
    points = unit(90 + side * (52 + 14 * now.wave(0.4)))
    world.right.do(there + side * 0.28 - 0.22j, name, points, 0.025 * now.circle(0.7))
    if now.wave(0.37) > -0.6:
        world.stream = (world.right.place + 0.4 * points, there, world.kitchen.colours[name])
    world.inside["cup"][name] = now.on(world.inside["cup"].get(name, 0.0))


def shake(world: World, now: Moment) -> None:
    """A quick shake over the cup; some people have the second spice (pepper) in a mill, turned with both hands."""
    habits, there, name = world.kitchen.habits, world.places["cup"], now.thing
    fast = 0.45
    if now.time < fast or now.time > now.seconds - fast:
        world.right.do(world.places[name], name, -1j)
        return
    wave = now.wave(habits["shake_hz"])
    if name == world.kitchen.shakers[1] and habits["grind"]:
        world.right.do(there - 0.3j + 0.05, name, 1j * unit(25 * wave))
        world.left.do(there - 0.38j - 0.05, "", None, 0.04 * wave)
    else:
        world.right.do(there - 0.3j + 0.1, name, 1j * unit(20), 0.08j * wave)
    world.specks = (there, world.kitchen.colours[name])
    world.inside["cup"][name] = 1.0


def stir(world: World, now: Moment) -> None:
    """Quick small circles in the cup, slow wide ones in the bowl."""
    habits, vessel = world.kitchen.habits, now.thing
    there, small = world.places[vessel], vessel == "cup"
    hz, tool = (habits["whisk_hz"], "whisk") if small else (habits["stir_hz"], "spoon")
    points = unit(-75 + habits["grip"])
    if now.time < 0.35:
        world.right.do(world.places[tool], tool, points)
        return
    circle = (0.4 if small else 0.6) * world.kitchen.radius[vessel] * now.circle(hz)
    world.right.do(there - (0.26 if small else 0.3) * points, tool, points, circle)
    world.left.do(there - world.kitchen.radius[vessel] * unit(-30) + 0.1j)
    world.angle[vessel] += 2 * np.pi * hz * now.frame * 0.5
    if small:
        world.mixed = now.on(world.mixed)


def dress(world: World, now: Moment) -> None:
    """The cup tilted over the salad, in the bowl or already on the plate."""
    there = world.places["plate" if sum(world.inside["plate"].values()) > 0.5 else "bowl"]
    colour = world.kitchen.colours[world.kitchen.bottles[1]]
    points = unit(-50 + world.kitchen.habits["grip"])
    if now.fetching or now.returning:
        world.right.do(world.places["cup"], "cup", -1j)
        return
    world.right.do(there - 0.3 * points, "cup", points, 0.1 * now.circle(0.6))
    world.stream = (world.right.place + 0.2 * points, there + 0.1 * now.circle(0.6), colour)
    for liquid in world.inside["cup"]:
        world.inside["cup"][liquid] *= 0.97


def serve(world: World, now: Moment) -> None:
    """Spoonfuls from the bowl to the plate."""
    bowl, plate = world.places["bowl"], world.places["plate"]
    trips = max(1, round(now.seconds / (1.2 * world.kitchen.habits["trip"])))
    phase = now.time * trips / now.seconds % 1
    points = unit(-80 + world.kitchen.habits["grip"])
    over = phase < 0.45
    world.right.do((plate if over else bowl) - 0.3 * points, "spoon", points, 0.05 * now.circle(1.5))
    if phase < 0.4 and world.inside["bowl"]:
        name = list(world.inside["bowl"])[int(now.time / now.seconds * trips) % len(world.inside["bowl"])]
        world.carried = (name, 3, world.right.place + 0.33 * points)
    world.left.do(plate + world.kitchen.radius["plate"] * unit(160))
    for name, share in world.inside["bowl"].items():
        rest = 1 - now.on(1 - share)
        world.inside["plate"][name] = world.inside["plate"].get(name, 0.0) + share - rest
        world.inside["bowl"][name] = rest


def start(world: World, now: Moment) -> None:
    """Getting ready: hands wander, rest, move things around."""
    _wander(world, now, 1.0)


def end(world: World, now: Moment) -> None:
    """Done: the board is wiped, the hands withdraw."""
    if now.time < 0.55 * now.seconds:
        world.right.do(world.places["board"], "cloth", -1j, 0.25 * now.wave(0.9) + 0.08j * now.wave(1.7))
        world.left.do(complex(world.kitchen.roots[1].real, 0.95))
    else:
        _wander(world, now, 0.3)


def _wander(world: World, now: Moment, speed: float) -> None:
    if now.time < now.frame or world.rng.random() < speed * now.frame:
        for hand, side in ((world.right, 1), (world.left, -1)):
            away = complex(world.rng.uniform(0, 0.7), world.rng.uniform(-0.5, 0.6))
            hand.do(world.places["board"] + side * away, "", -1j)


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


ACTIONS: dict[str, Callable[[World, Moment], None]] = {
    action.__name__: action
    for action in (
        *(cut, peel, place, pour, shake, stir, dress, serve, start, end),
        *(grate, mash, roll, knead, spread, wipe),
    )
}
