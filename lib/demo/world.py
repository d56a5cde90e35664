"""Where things are at a moment and what the hands do: the state that actions change and pictures show."""

from dataclasses import dataclass, field

import numpy as np

from lib.demo.draw import Colour, unit
from lib.demo.kitchen import Kitchen


@dataclass
class Hand:
    """A hand: it approaches `goal` smoothly, `swing` is added (strokes, shaking), and its tool points to `points`."""

    at: complex
    goal: complex
    swing: complex = 0j
    holds: str = ""
    points: complex = -1j

    @property
    def place(self) -> complex:
        return self.at + self.swing

    def do(self, goal: complex, holds: str = "", points: complex | None = None, swing: complex = 0j) -> None:
        self.goal, self.holds, self.swing = goal, holds, swing
        self.points = self.points if points is None else points


@dataclass
class Portion:
    """A food on the board, with the shares 0 … 1 of it that are peeled, cut, and away from the board."""

    spot: complex
    turn: complex
    peeled: float = 0.0
    cut: float = 0.0
    gone: float = 0.0


@dataclass
class World:
    kitchen: Kitchen
    rng: np.random.Generator
    places: dict[str, complex]
    right: Hand
    left: Hand
    board: dict[str, Portion] = field(default_factory=dict)
    inside: dict[str, dict[str, float]] = field(default_factory=lambda: {"bowl": {}, "plate": {}, "cup": {}})
    angle: dict[str, float] = field(default_factory=lambda: {"bowl": 0.0, "plate": 0.0, "cup": 0.0})
    stream: tuple[complex, complex, Colour] | None = None  # what is poured: from, to
    specks: tuple[complex, Colour] | None = None  # what is shaken: onto
    carried: tuple[str, int, complex] | None = None  # pieces of a food in the hand or on the spoon
    mixed: float = 0.0  # of the dressing

    def rest(self) -> None:
        """Reset before every frame: nothing is poured, shaken or carried unless the action says so."""
        self.stream = self.specks = self.carried = None

    def portion(self, food: str) -> Portion:
        """Find a food on the board; it is put there first if necessary."""
        if food not in self.board:
            spot = self.places["board"] + complex(self.rng.uniform(-0.1, 0.1), self.rng.uniform(-0.1, 0.1))
            self.board[food] = Portion(spot, np.exp(1j * self.rng.normal(0, 0.45)))
        return self.board[food]

    def settle(self, seconds: float) -> None:
        """Move the hands towards their goals for one frame of `seconds`."""
        share = 1 - np.exp(-seconds / 0.13)
        for hand in (self.right, self.left):
            hand.at += (hand.goal - hand.at) * share


def begin(kitchen: Kitchen, rng: np.random.Generator) -> World:
    """Set up the kitchen as it is before anybody has touched it."""
    right, left = (complex(root.real, 1.15) for root in kitchen.roots)
    return World(kitchen, rng, dict(kitchen.places), Hand(right, right), Hand(left, left))


REACH = 0.6  # seconds to fetch a thing and to put it back


@dataclass(frozen=True)
class Moment:
    """A frame's place in its step: `time` of `seconds`; a frame lasts `frame` s; `upto`: see `script.Step`."""

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
        """Move a share evenly towards `upto`, to arrive `reserve` seconds before the step ends."""
        left = max(self.seconds - reserve - self.time, self.frame)
        return share + (self.upto - share) * min(1.0, self.frame / left)

    @property
    def fetching(self) -> bool:
        return self.time < REACH

    @property
    def returning(self) -> bool:
        return self.time > self.seconds - REACH


def bring(world: World, now: Moment) -> bool:
    """Let the free hand bring a food to the board while the other fetches its tool; True while this lasts."""
    portion = world.portion(now.thing)
    if not now.fetching:
        return False
    goal = portion.spot if now.time > REACH / 2 or portion.cut > 0 else world.places[now.thing]
    world.left.do(goal - 0.1 * portion.turn)
    return True


def fidget(world: World, thing: str, share: float, goal: complex) -> None:
    """Let the free hand move something that has nothing to do with the action."""
    world.left.do(world.places[thing] if share < 0.3 else goal, "", -1j)
    if share >= 0.3:
        world.places[thing] = world.left.at - 0.06j
