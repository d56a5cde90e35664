"""Kinds of a pair of classes, derived from their names: how the two are alike, if they are (thesis 2.8.3).

A name is a verb, an object and maybe a place: `place_tomato_into_bowl`. Two classes share the verb, share the object,
or their objects look alike (LOOK_ALIKE, with the reasons given there); one pair may be of several kinds. Pairs with a
class that names no action are neutral and of no other kind.
"""

from collections.abc import Sequence

import numpy as np

NEUTRAL = ("action_start", "action_end", "background")
LOOK_ALIKE = {
    frozenset({"vinegar", "oil"}): "both are poured from clear bottles (thesis 2.8.3)",
    frozenset({"salt", "pepper"}): "their shakers (thesis 2.8.3)",
    frozenset({"pepper", "dressing"}): "a shaker and the glass in which the dressing is mixed (thesis 2.8.3)",
    frozenset({"cucumber", "lettuce"}): "green, of like size (thesis 2.8.3, 2.9.1)",
    frozenset({"cucumber", "cheese"}): "of like colour and size (thesis 2.8.3)",
}
VERB, OBJECT, LOOK, NO_ACTION, OTHER = "shared verb", "shared object", "look-alike", "neutral", "other"
ALIKE = "alike"  # shares the verb or the object, or looks alike
KINDS = (VERB, OBJECT, LOOK, ALIKE, NO_ACTION, OTHER)  # the last three share out all pairs


def kinds(first: str, second: str) -> tuple[str, ...]:
    """Kinds of a pair of different classes; the order does not matter.

    >>> kinds("cut_cucumber", "cut_lettuce"), kinds("peel_cucumber", "place_cucumber_into_bowl")
    (('shared verb', 'look-alike'), ('shared object',))
    >>> kinds("serve_salad_onto_plate", "action_end"), kinds("add_oil", "cut_tomato")
    (('neutral',), ('other',))
    """
    if first in NEUTRAL or second in NEUTRAL:
        return (NO_ACTION,)
    (verb, *things), (other_verb, *other_things) = first.split("_"), second.split("_")
    thing, other_thing = (names[0] if names else "" for names in (things, other_things))
    found = [VERB] if verb == other_verb else []
    if thing and thing == other_thing:
        found.append(OBJECT)
    if frozenset({thing, other_thing}) in LOOK_ALIKE:
        found.append(LOOK)
    return tuple(found) or (OTHER,)


def of_kind(classes: Sequence[str], kind: str) -> np.ndarray:
    """Which pairs of different classes are of one of KINDS: booleans (K, K), symmetric, False on the diagonal."""
    wanted = {VERB, OBJECT, LOOK} if kind == ALIKE else {kind}
    rows = [[a != b and bool(wanted.intersection(kinds(a, b))) for b in classes] for a in classes]
    return np.array(rows)
