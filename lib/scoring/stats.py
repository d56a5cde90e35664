"""Statistics of repeated measurements: intervals, paired tests, their power, resampling (beyond the thesis).

Each function names its source and what it assumes. Five splits give five paired differences: few, and not independent,
since two splits share most of their training videos. The corrected test below allows for that, the plain one does not.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

ALPHA = 0.05  # of every test and interval
Direction = Literal["higher", "lower", "inconclusive"]
Verdict = Literal["supported", "contradicted", "inconclusive"]
Item = TypeVar("Item")


def direction(low: float, high: float) -> Direction:
    """Read the direction of a difference from its 95 % interval; NaN bounds say nothing.

    >>> direction(0.1, 0.3), direction(-0.3, -0.1), direction(-0.1, 0.3), direction(float("nan"), float("nan"))
    ('higher', 'lower', 'inconclusive', 'inconclusive')
    """
    return "higher" if low > 0 else "lower" if high < 0 else "inconclusive"


def direction_of(row: Mapping, measure: str) -> Direction:
    """`direction` of a difference, from the entries "`measure` low" and "`measure` high" of its row."""
    return direction(float(row[f"{measure} low"]), float(row[f"{measure} high"]))


def verdict(found: Direction, claimed: Literal["higher", "lower", "level"], causes: int = 1) -> Verdict:
    """Judge a claim by the one rule for all claims.

    supported     a difference with the claimed sign is found, and nothing else differed that could have made it
    contradicted  a difference with another sign is found, or any difference where none was claimed
    inconclusive  no difference is found, which proves no equality; or several things differed that could be its cause

    `causes`: how many things differed that could have made the difference.

    >>> verdict("higher", "higher"), verdict("lower", "higher"), verdict("inconclusive", "level")
    ('supported', 'contradicted', 'inconclusive')
    >>> verdict("higher", "level"), verdict("higher", "higher", causes=3)
    ('contradicted', 'inconclusive')
    """
    if found == "inconclusive":
        return "inconclusive"
    if found != claimed:
        return "contradicted"
    return "supported" if causes == 1 else "inconclusive"


@dataclass(frozen=True)
class Paired:
    """Mean of `n` paired differences, their standard deviation, its 95 % interval, t, two-sided p."""

    n: int
    difference: float
    sd: float
    low: float
    high: float
    t: float
    p: float


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half the width of its 95 % interval, by Student's t.

    Assumes independent values from a normal distribution; with three seeds the factor is 4.3 standard errors.

    Raises ValueError: fewer than two values.

    >>> mean, half = mean_interval([1.0, 2.0, 3.0])
    >>> round(mean, 2), round(half, 2)
    (2.0, 2.48)
    """
    if len(values) < 2:
        raise ValueError(f"an interval needs at least two values, got {len(values)}")
    half = stats.t.ppf(1 - ALPHA / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return float(np.mean(values)), float(half)


def paired_t(first: ArrayLike, second: ArrayLike, test_share: float = 0.0) -> Paired:
    """Student's paired t of first - second (Student 1908), or with `test_share` its corrected form for resampled data.

    The plain test assumes independent differences from a normal distribution. Splits that share training data make it
    find differences too often. Nadeau and Bengio (Inference for the generalization error, Machine Learning 52, 2003)
    put the variance of the mean at (1/n + test/train) times that of a difference in place of 1/n, as if any two splits
    were correlated by test/(test + train); for cross-validation: Bouckaert and Frank (PAKDD 2004).

    Args:
        first, second: one value per split, in the same order.
        test_share: size of a split's test part over that of its training part, 10/40 in 50 Salads; 0: plain.

    Raises ValueError: differing or too small numbers of values, one that is not finite, or differences without spread.

    >>> paired_t([0.8, 0.9, 0.7], [0.7, 0.7, 0.65]).p < paired_t([0.8, 0.9, 0.7], [0.7, 0.7, 0.65], 0.25).p
    True
    """
    differences = _differences(first, second)
    n, mean, sd = len(differences), float(differences.mean()), float(differences.std(ddof=1))
    if sd == 0:
        raise ValueError("all paired differences are equal: t is undefined")
    error = sd * math.sqrt(1 / n + test_share)
    half = float(stats.t.ppf(1 - ALPHA / 2, n - 1)) * error
    return Paired(n, mean, sd, mean - half, mean + half, mean / error, 2 * float(stats.t.sf(abs(mean) / error, n - 1)))


def wilcoxon_exact(first: ArrayLike, second: ArrayLike) -> tuple[float, float]:
    """Wilcoxon's signed-rank test (Biometrics Bulletin 1, 1945), exact: two-sided p, and the lowest that n allows.

    Assumes independent differences, symmetric about one centre. Zeros are dropped; tied ranks are averaged, and then
    all signs are tried. Five differences cannot give a p below 2/32 = .0625, whatever they are.

    Raises ValueError: as in `paired_t`, all differences are zero, or ties among more than 16 (2^n signs are too many).

    >>> wilcoxon_exact([5, 6, 7, 8, 10], [4, 4, 4, 4, 5])
    (0.0625, 0.0625)
    """
    differences = np.round(_differences(first, second), 9)  # so that .3 - .2 ties with .4 - .3
    kept = differences[differences != 0]
    if not kept.size:
        raise ValueError("all paired differences are zero: there is nothing to rank")
    ties = len(np.unique(np.abs(kept))) < len(kept)
    if ties and len(kept) > 16:
        raise ValueError(f"{len(kept)} differences with ties: exact only up to 16")
    method = stats.PermutationMethod(n_resamples=np.inf) if ties else "exact"
    return float(stats.wilcoxon(kept, method=method).pvalue), 2.0 ** (1 - len(kept))


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjusted p-values of a family, shape (n,), by Holm's step-down (Scandinavian Journal of Statistics 6, 1979).

    Keeps the chance of even one false finding in the family at the level, however the tests depend on each other.

    Raises ValueError: a value outside 0 … 1.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p-values must lie from 0 to 1, got {values.tolist()}")
    order = np.argsort(values)
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def power(difference: float, sd: float, n: int, test_share: float = 0.0) -> float:
    """Chance that `paired_t` finds a true mean difference at the 5 % level, by the noncentral t distribution.

    (Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988.) Assumes normal differences with standard
    deviation `sd`, correlated as `paired_t` says where there is a `test_share`.

    >>> round(power(difference=0.5, sd=1, n=34), 3)
    0.808
    """
    if difference == 0:  # where scipy's noncentral F fails
        return ALPHA
    shift = difference / (sd * math.sqrt(1 / n + test_share))
    critical = stats.t.ppf(1 - ALPHA / 2, n - 1)
    return float(stats.ncf.sf(critical**2, 1, n - 1, shift**2))  # t squared is F: both tails at once


def detectable_difference(sd: float, n: int, test_share: float = 0.0) -> float:
    """True difference that `paired_t` finds with a chance of 80 %; assumptions as in `power`.

    >>> round(detectable_difference(sd=1, n=34), 2)
    0.5
    """
    most = 100 * sd * math.sqrt(1 / n + test_share)
    return float(optimize.brentq(lambda difference: power(difference, sd, n, test_share) - 0.8, 0, most))


def bootstrap_interval(
    items: Sequence[Item], statistic: Callable[[list[Item]], float], resamples: int = 2000, method: str = "BCa"
) -> tuple[float, float]:
    """95 % interval of a statistic of resampled items (Efron and Tibshirani, An Introduction to the Bootstrap, 1993).

    Assumes independent items from one distribution: videos or, better, people with all their videos. With few items
    it is too narrow. For a comparison, an item holds both methods' results, and the statistic is the difference.

    Args:
        statistic: of a list of items, which may hold some twice.
        method: "BCa" (bias-corrected and accelerated) or "percentile".

    Raises ValueError: fewer than two items.
    """
    if len(items) < 2:
        raise ValueError(f"a bootstrap needs at least two items, got {len(items)}")
    found = stats.bootstrap(
        (np.arange(len(items)),),
        lambda drawn: statistic([items[i] for i in drawn.astype(int)]),
        n_resamples=resamples,
        vectorized=False,
        method=method,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def resampled(parts: np.ndarray, resamples: int = 2000, seeds: bool = True) -> np.ndarray:
    """Scores of resampled videos and seeds: the pigeonhole bootstrap (Owen, Annals of Applied Statistics 1, 2007).

    Videos and seeds are drawn separately, both with replacement, since each training scores every video.
    Assumes independent videos and seeds, each from one distribution; with few of either the spread is too small.

    Args:
        parts: (V, S, M, 2) numerator and denominator of M scores, by video and seed; sums over videos make a score.
        seeds: draw them too; otherwise all are kept, and only the videos are drawn.

    Returns:
        (resamples, M) means over the seeds, percent. Equal V and S give equal draws, so that two methods' are paired.
    """
    videos, many = parts.shape[:2]
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(videos, np.full(videos, 1 / videos), size=resamples)
    top, bottom = np.moveaxis(np.tensordot(drawn, parts, axes=1), -1, 0)
    scores = 100 * top / np.maximum(bottom, 1e-9)  # (resamples, S, M)
    if seeds:
        chosen = rng.integers(many, size=(resamples, many))
        scores = np.take_along_axis(scores, chosen[:, :, None], axis=1)
    return scores.mean(axis=1)


def needed(difference: float, videos: int, of_videos: float, seeds: int, of_seeds: float) -> tuple[float, float]:
    """Numbers of videos, and of seeds, that would find a true difference with a chance of 80 %; inf: no number would.

    By the normal approximation, at the 5 % level. The variance of the difference is `of_videos`, which falls with the
    number of videos, plus `of_seeds`, which falls with that of seeds (0 with one seed, whose spread is unknown). One
    number grows while the other stays.

    >>> needed(difference=2.8016, videos=50, of_videos=2.0, seeds=3, of_seeds=0.5)
    (200.0, inf)
    """
    least = (difference / (stats.norm.ppf(1 - ALPHA / 2) + stats.norm.ppf(0.8))) ** 2
    each = ((videos, of_videos, least - of_seeds), (seeds, of_seeds, least - of_videos))
    # a hundredth less, so that rounding errors add no video
    by_videos, by_seeds = (math.ceil(n * v / room - 0.01) if room > 0 and v > 0 else math.inf for n, v, room in each)
    return float(by_videos), float(by_seeds)


def enough(differences: np.ndarray, units: str) -> str:
    """Number of values whose mean would differ from 0 with a chance of 80 %, if mean and spread are as here, in words.

    Assumptions as in `power`.

    >>> [enough(np.array(values), "splits") for values in ([1, 3, -1, 2, 0], [1, -1, 0.001], [1], [0, 0])]
    ['22 splits', 'over 1,000 splits', '', '']
    """
    if len(differences) < 2 or not differences.any():
        return ""
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    counts = range(2, 1001)
    place = bisect_left(counts, 0.8, key=lambda count: power(mean, deviation, count))
    return f"{counts[place]} {units}" if place < len(counts) else f"over 1,000 {units}"


def _differences(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.shape != other.shape or one.ndim != 1 or len(one) < 2:
        raise ValueError(
            f"paired values of one length, at least two, are needed; got shapes {one.shape}, {other.shape}"
        )
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("a paired value is not a finite number")
    return one - other
