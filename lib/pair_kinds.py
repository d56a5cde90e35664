"""Are errors between classes that are alike? Kinds of a pair of classes, derived from their names (thesis 2.8.3).

A name is a verb, an object and maybe a place: `place_tomato_into_bowl`. Two classes share the verb, share the object,
or their objects look alike (LOOK_ALIKE, with the reasons given there); one pair may be of several kinds. Pairs with a
class that names no action are neutral and of no other kind.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

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


def wrong_seconds(matrix: pd.DataFrame) -> np.ndarray:
    """The matrix without its diagonal, float64 (K, K)."""
    return np.where(np.eye(len(matrix), dtype=bool), 0.0, matrix.to_numpy())


def by_chance(matrix: pd.DataFrame, uniform: bool = False) -> np.ndarray:
    """Where the wrong seconds would fall if a wrong label had nothing to do with the true class, float64 (K, K).

    A class keeps its number of wrong seconds; they fall on the other classes in proportion to how often each is
    predicted in all, or on all of them alike (`uniform`).
    """
    weights = np.ones(len(matrix)) if uniform else matrix.to_numpy().sum(axis=0)
    spread = np.where(np.eye(len(matrix), dtype=bool), 0.0, weights)
    total = spread.sum(axis=1, keepdims=True)  # 0 only where the class has no wrong second
    return wrong_seconds(matrix).sum(axis=1, keepdims=True) * spread / np.where(total > 0, total, 1)


def kind_shares(matrices: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """What share of all wrong seconds each kind takes, against chance.

    Returns:
        A row a split and kind: split, kind, seconds, share, by_prediction, uniform (the shares by the two kinds of
        chance of `by_chance`); shares are 0 … 1, NaN in a split without wrong seconds. The shares of "alike",
        "neutral" and "other" add up to 1.
    """
    rows = []
    for split, matrix in matrices.items():
        cells = (wrong_seconds(matrix), by_chance(matrix), by_chance(matrix, uniform=True))
        wrong = cells[0].sum() or np.nan
        for kind in KINDS:
            seconds, *chance = (part[of_kind(list(matrix.index), kind)].sum() for part in cells)
            rows.append((split, kind, int(seconds), *(part / wrong for part in (seconds, *chance))))
    return pd.DataFrame(rows, columns=["split", "kind", "seconds", "share", "by_prediction", "uniform"])


def relabelling_test(matrix: pd.DataFrame, kind: str, permutations: int, seed: int = 0) -> float:
    """Do more wrong seconds fall on pairs of a kind than if the names were dealt to the classes at random?

    A permutation test of the association of two matrices (Mantel, Cancer Research 1967): the seconds beyond
    `by_chance`, and the pairs of the kind. Classes that name no action stay out. Seconds of one segment are not
    independent, which is why they are not permuted.

    Returns:
        The share of random namings that do at least as well, the true one included.
    """
    named = [place for place, name in enumerate(matrix.index) if name not in NEUTRAL]
    beyond = (wrong_seconds(matrix) - by_chance(matrix))[np.ix_(named, named)]
    pairs = of_kind([str(matrix.index[place]) for place in named], kind)
    rng = np.random.default_rng(seed)
    observed = beyond[pairs].sum()
    orders = (rng.permutation(len(named)) for _ in range(permutations))
    as_good = sum(beyond[np.ix_(order, order)][pairs].sum() >= observed - 1e-9 for order in orders)
    return (1 + as_good) / (1 + permutations)
