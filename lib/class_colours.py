"""Colours and patterns of classes, computed from their names, that also colour-blind readers can tell apart.

Nineteen colours cannot all be told apart, by anybody. So colour says the verb and pattern the object: `cut_tomato` and
`cut_cheese` have nearly the same blue, `cut_cheese` and `place_cheese_into_bowl` the same hatching. Classes that name
no action are grey. With more than six verbs, some share a colour, and their classes still differ in pattern, as long
as there are patterns.

Across verbs the colours keep a CIELAB distance of 20 in normal sight, under protanopia and under deuteranopia, by
the simulation of Machado et al., IEEE TVCG 2009 (tests/test_class_colours.py); within a verb it is the pattern, and
the name in legends and hover texts, that tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.pair_kinds import NEUTRAL

# The darkest and the lightest of each family, 12 units of CIELAB lightness apart. Found by a random search for the
# largest least distance between families under the three kinds of sight.
FAMILIES = (
    ("#3e60db", "#677dfe"),  # blue
    ("#d79f27", "#fbbf4a"),  # amber
    ("#971381", "#b93da0"),  # plum
    ("#2aab68", "#53cd86"),  # green
    ("#029bdb", "#4bbbfe"),  # sky
    ("#475001", "#656d22"),  # olive
)
GREY = ("#818181", "#a0a0a0")
PATTERNS = {  # Bokeh's name -> Matplotlib's; no dots, which make an SVG of half a megabyte
    "blank": "",
    "right_diagonal_line": "////",
    "left_diagonal_line": "\\\\\\\\",
    "diagonal_cross": "xxxx",
    "horizontal_line": "----",
    "cross": "++++",
    "vertical_line": "||||",  # last, since on a time axis they look like borders
}


@dataclass(frozen=True)
class ClassStyle:
    """How a class is drawn.

    Attributes:
        verb: its group in a legend; "no action" for the neutral ones.
        colour: of the filling, such as "#3e60db".
        pattern: one of PATTERNS.
        ink: colour of the pattern, white on dark and black on light colours.
    """

    verb: str
    colour: str
    pattern: str
    ink: str

    @property
    def hatch(self) -> str:
        """The pattern as Matplotlib calls it."""
        return PATTERNS[self.pattern]


def class_styles(classes: Sequence[str]) -> dict[str, ClassStyle]:
    """A style a class, in the order of the classes.

    Names are read as verb, object, and maybe a place, as in lib.pair_kinds.

    >>> styles = class_styles(["cut_tomato", "cut_cheese", "place_tomato_into_bowl", "action_start"])
    >>> [style.pattern for style in styles.values()]
    ['blank', 'right_diagonal_line', 'blank', 'blank']
    >>> styles["cut_tomato"].colour, styles["action_start"].verb
    ('#3e60db', 'no action')
    """
    verbs = {name: "no action" if name in NEUTRAL else name.split("_")[0] for name in classes}
    actions = list(dict.fromkeys(verb for verb in verbs.values() if verb != "no action"))
    family = {verb: number % len(FAMILIES) for number, verb in enumerate(actions)} | {"no action": -1}
    members: dict[int, list[str]] = {}
    for name, verb in verbs.items():
        members.setdefault(family[verb], []).append(name)
    patterns = _patterns(members)
    styles = {}
    for name, verb in verbs.items():
        mates = members[family[verb]]
        share = mates.index(name) / (len(mates) - 1) if len(mates) > 1 else 0.5
        colour, light = _between(FAMILIES[family[verb]] if family[verb] >= 0 else GREY, share)
        styles[name] = ClassStyle(verb, colour, patterns[name], "#000000" if light else "#ffffff")
    return styles


def _patterns(members: dict[int, list[str]]) -> dict[str, str]:
    """The first pattern that no class of the same family has, the same for the same object where that can be."""
    kept: dict[str, str] = {}  # object -> pattern
    found: dict[str, str] = {}
    for mates in members.values():
        free = list(PATTERNS)
        for name in sorted(mates, key=lambda name: _object(name) not in kept):  # objects that have one choose first
            choice = kept.get(_object(name))
            if choice not in free:
                choice = free[0] if free else "blank"
            if choice in free:
                free.remove(choice)
            kept.setdefault(_object(name), choice)
            found[name] = choice
    return found


def _object(name: str) -> str:
    return "_".join(name.split("_")[1:2])


def _between(ends: tuple[str, str], share: float) -> tuple[str, bool]:
    """A colour between two, and whether it is light, so that a pattern on it is black."""
    dark, bright = ([int(end[place : place + 2], 16) for place in (1, 3, 5)] for end in ends)
    mixed = [round(a + share * (b - a)) for a, b in zip(dark, bright, strict=True)]
    red, green, blue = ((value / 255) ** 2.2 for value in mixed)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#{:02x}{:02x}{:02x}".format(*mixed), luminance > 0.3
