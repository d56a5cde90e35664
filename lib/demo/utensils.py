"""Vessels with what is in them, tools and bottles."""

import numpy as np

from lib.demo.draw import Canvas, box, capsule, ellipse, mix, shade, unit
from lib.demo.foods import PIECES
from lib.demo.kitchen import Kitchen
from lib.demo.world import World

SCATTER = 0.8 * np.sqrt((np.arange(15) + 0.5) / 15) * np.exp(2.4j * np.arange(15))  # places in a vessel of radius 1


def vessel(canvas: Canvas, world: World, name: str, at: complex, size: float = 1.0) -> None:
    """Bowl, plate or cup with what is inside, at `at`; `size` is a factor."""
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
    """A tool or bottle whose grip is at `at`."""
    colours = kitchen.colours
    match name:
        case "knife":
            canvas.fill(at + points * (0.27 + box(0.22, 0.045)), colours["blade"])
            edge = at + points * np.array([0.07 + 0.04j, 0.47 + 0.04j])
            canvas.line(edge, shade(colours["blade"], 0.6), 0.02)
            canvas.fill(at + points * box(0.1, 0.035), colours["handle"])
        case "peeler":
            canvas.fill(at + points * box(0.13, 0.035), colours["peeler"])
            canvas.fill(at + points * (0.15 + box(0.03, 0.09)), colours["blade"])
        case "spoon":
            canvas.fill(at + points * (0.1 + box(0.2, 0.025)), colours["spoon"])
            canvas.fill(at + points * (0.33 + ellipse(0.1, 0.075)), colours["spoon"])
        case "whisk":
            canvas.fill(at + points * (0.08 + box(0.16, 0.018)), colours["whisk"])
            canvas.fill(at + points * (0.26 + ellipse(0.1, 0.045)), shade(colours["whisk"], 0.85))
        case "cloth":
            canvas.fill(at + points * (0.05 + box(0.14, 0.2)), colours["cloth"])
            canvas.fill(at + points * (0.05 + box(0.1, 0.02)), shade(colours["cloth"], 0.75))
        case "grater":
            canvas.fill(at + points * (0.22 + box(0.2, 0.11)), colours["blade"])
            canvas.dots(at + points * (0.22 + 0.13 * SCATTER[:9]), 0.02, shade(colours["blade"], 0.55))
        case "masher":
            canvas.fill(at + points * (0.12 + box(0.16, 0.025)), colours["spoon"])
            canvas.fill(at + points * (0.28 + box(0.03, 0.11)), colours["blade"])
        case "pin":
            canvas.fill(at + points * (0.24 + box(0.36, 0.03)), colours["handle"])
            canvas.fill(at + points * (0.24 + box(0.24, 0.065)), colours["spoon"])
        case _ if name in kitchen.bottles:
            canvas.fill(at + points * (0.28 + box(0.12, 0.035)), mix(colours[name], (255, 255, 255), 0.35))
            canvas.fill(at + points * (0.08 + capsule(0.2, 0.1)), colours[name])
            canvas.fill(at + points * (0.38 + box(0.03, 0.04)), colours["cap"])
            canvas.fill(at + points * (0.06 + box(0.06, 0.075)), mix(colours[name], (255, 255, 255), 0.7))
        case _:
            canvas.fill(at + points * (0.1 + box(0.13, 0.08)), colours[name])
            canvas.fill(at + points * (0.24 + box(0.035, 0.065)), colours["blade"])
