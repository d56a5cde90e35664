"""Are errors between classes that are alike? Which kinds of pairs the wrong seconds fall on, against chance (2.8.3).

The thesis says so of its Figures 18 and 19. Chance can look like it: a class that is often predicted takes wrong
seconds from all others, and a kind with many pairs takes more of them than a kind with few.
"""

import numpy as np
import pandas as pd

from lib.confusion import Matrices, summed, wrong_seconds
from lib.pair_kinds import KINDS, NEUTRAL, NO_ACTION, OTHER, of_kind


def by_chance(matrix: pd.DataFrame, uniform: bool = False) -> np.ndarray:
    """Where the wrong seconds would fall if a wrong label had nothing to do with the true class, float64 (K, K).

    A class keeps its number of wrong seconds; they fall on the other classes in proportion to how often each is
    predicted in all, or on all of them alike (`uniform`).
    """
    weights = np.ones(len(matrix)) if uniform else matrix.to_numpy().sum(axis=0)
    spread = np.where(np.eye(len(matrix), dtype=bool), 0.0, weights)
    total = spread.sum(axis=1, keepdims=True)  # 0 only where the class has no wrong second
    return wrong_seconds(matrix).sum(axis=1, keepdims=True) * spread / np.where(total > 0, total, 1)


def kind_shares(matrices: Matrices) -> pd.DataFrame:
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


def kind_summary(matrices: Matrices, permutations: int) -> pd.DataFrame:
    """The kinds over all splits.

    Returns:
        A row a kind, index kind: pairs (of different classes, both orders), share, by_prediction and uniform (means
        over the splits of `kind_shares`), splits_above (in how many splits the share is above by_prediction), p (of
        `relabelling_test` on the sum of the splits; NaN for kinds that names alone do not make).
    """
    shares = kind_shares(matrices)
    means = shares.groupby("kind", sort=False)[["share", "by_prediction", "uniform"]].mean()
    above = (shares["share"] > shares["by_prediction"]).groupby(shares["kind"], sort=False).sum()
    whole = summed(matrices)
    pairs = [int(of_kind(list(whole.index), kind).sum()) for kind in KINDS]
    p = [np.nan if kind in (NO_ACTION, OTHER) else relabelling_test(whole, kind, permutations) for kind in KINDS]
    means.insert(0, "pairs", pairs)
    return means.assign(splits_above=above, p=p)
