"""What all actions share: where in its step a frame is, fetching a food, and moving things for no reason."""

from dataclasses import dataclass

import numpy as np

from lib.demo.draw import unit
from lib.demo.world import World

REACH = 0.6  # seconds to fetch a thing and to put it back


@dataclass(frozen=True)
class Moment:
    """Where in its step a frame is: `time` of `seconds`, a frame lasting `frame` s; `upto`: see `script.Step`."""

    thing: str
    time: float
    seconds: float
    frame: float
    upto: float = 1.0

    def wave(self, hz: float) -> float:
        return float(np.sin(2 * np.pi * hz * self.time))

    def circle(self, hz: float) -> complex:
        return unit(360 * hz * self.time)

    def on(self, share: float, reserve: float = REACH) -> float:
        """A share moved evenly towards `upto` so that it arrives `reserve` seconds before the step ends."""
        left = max(self.seconds - reserve - self.time, self.frame)
        return share + (self.upto - share) * min(1.0, self.frame / left)

    @property
    def fetching(self) -> bool:
        return self.time < REACH

    @property
    def returning(self) -> bool:
        return self.time > self.seconds - REACH


def bring(world: World, now: Moment) -> bool:
    """The free hand brings a food to the board while the other fetches its tool; True while it lasts."""
    portion = world.portion(now.thing)
    if not now.fetching:
        return False
    goal = portion.spot if now.time > REACH / 2 or portion.cut > 0 else world.places[now.thing]
    world.left.do(goal - 0.1 * portion.turn)
    return True


def fidget(world: World, thing: str, share: float, goal: complex) -> None:
    """Beside any action, the free hand moves something that has nothing to do with it."""
    world.left.do(world.places[thing] if share < 0.3 else goal, "", -1j)
    if share >= 0.3:
        world.places[thing] = world.left.at - 0.06j
