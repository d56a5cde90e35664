"""Colours of classes: by verb and object, apart also for colour-blind eyes, computed for any names."""

import itertools

import numpy as np
import pytest

from lib.demo.script import CLASS_NAMES
from lib.notebook.plots import FAMILIES, GREY, PATTERNS, class_styles

# Machado, Oliveira and Fernandes, IEEE TVCG 15(6), 2009: severity 1.0, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # sRGB, D65


def cielab(colour: str, sight: str = "normal") -> np.ndarray:
    """L*, a*, b* of a colour such as "#3e60db" as such an eye sees it."""
    srgb = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(SIGHT[sight]) @ linear, 0, 1)
    ratio = TO_XYZ @ seen / TO_XYZ.sum(axis=1)
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(first: str, second: str, sight: str) -> float:
    return float(np.linalg.norm(cielab(first, sight) - cielab(second, sight)))


def test_the_simulation_knows_what_is_known():
    assert cielab("#ffffff") == pytest.approx([100, 0, 0], abs=0.1)
    assert cielab("#ff0000") == pytest.approx([53.2, 80.1, 67.2], abs=0.2)
    assert distance("#a0522d", "#5a6e1e", "normal") > 1.8 * distance("#a0522d", "#5a6e1e", "deuteranopia")
    assert distance("#777777", "#777777", "protanopia") == 0


@pytest.mark.parametrize("sight", SIGHT)
def test_verbs_of_50_salads_keep_apart(sight):
    styles = class_styles(CLASS_NAMES)
    pairs = [(a, b) for a, b in itertools.combinations(styles.values(), 2) if a.verb != b.verb]
    assert min(distance(a.colour, b.colour, sight) for a, b in pairs) > 20


def test_within_a_verb_colours_are_close_and_patterns_differ():
    """What colour cannot say among 19 classes; said in the module's first lines too."""
    styles = class_styles(CLASS_NAMES)
    pairs = [(a, b) for a, b in itertools.combinations(styles.values(), 2) if a.verb == b.verb]
    assert all(a.pattern != b.pattern and a.colour != b.colour for a, b in pairs)
    assert all(distance(a.colour, b.colour, "normal") < 25 for a, b in pairs)


def test_an_object_has_one_pattern():
    styles = class_styles(CLASS_NAMES)
    for thing in ("tomato", "cheese", "lettuce", "cucumber", "dressing"):
        assert len({style.pattern for name, style in styles.items() if name.split("_")[1] == thing}) == 1, thing


def test_patterns_can_be_seen_on_their_colours():
    for style in class_styles(CLASS_NAMES).values():
        assert abs(cielab(style.colour)[0] - cielab(style.ink)[0]) > 35


def test_more_verbs_than_colours_share_them_and_differ_in_pattern():
    verbs = ["take", "open", "pour", "close", "shake", "scoop", "stir", "put", "fold", "spread"]
    styles = class_styles([*verbs, "background"])
    assert len(verbs) > len(FAMILIES)
    assert styles["background"].colour not in {styles[verb].colour for verb in verbs}
    assert len({(style.colour, style.pattern) for style in styles.values()}) == len(verbs) + 1
    shared = [
        (a, b) for a, b in itertools.combinations(verbs, 2) if (verbs.index(a) - verbs.index(b)) % len(FAMILIES) == 0
    ]
    assert shared
    assert all(styles[a].pattern != styles[b].pattern for a, b in shared)


def test_a_hundred_classes_of_one_verb_still_have_a_style():
    styles = class_styles([f"cut_food{number}" for number in range(100)])
    assert {style.pattern for style in styles.values()} == set(PATTERNS)
    assert all(style.colour.startswith("#") and len(style.colour) == 7 for style in styles.values())


def test_ends_of_a_family_are_dark_and_light():
    for dark, light in (*FAMILIES, GREY):
        assert 10 < cielab(light)[0] - cielab(dark)[0] < 14
