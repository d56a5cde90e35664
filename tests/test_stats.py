"""Statistics against worked examples from the literature, scipy's relatives, brute force and simulation."""

from itertools import chain, combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from lib.scoring import stats

# Student (1908), hours of additional sleep of ten patients under two drugs
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
# Hollander and Wolfe (1973), page 29: depression scale of nine patients before and after
BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
# Efron and Tibshirani (1993), Table 14.1: spatial test of 26 children, column A
SPATIAL = [48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41]


def test_paired_t_on_students_sleep_data():
    found = stats.paired_t(SLEEP_1, SLEEP_2)
    assert found.t == pytest.approx(-4.0621, abs=1e-4)
    assert found.p == pytest.approx(0.002833, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((-2.4598858, -0.7001142), abs=1e-7)
    mean, half = stats.mean_interval(np.subtract(SLEEP_1, SLEEP_2).tolist())
    assert (found.low, found.high) == pytest.approx((mean - half, mean + half))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=12), st.floats(0, 2))
def test_paired_t_equals_scipy_and_its_correction_widens_by_one_factor(pairs, share):
    first, second = np.array(pairs).T
    if np.std(first - second) < 1e-6:
        return
    plain, corrected = stats.paired_t(first, second), stats.paired_t(first, second, share)
    theirs = scipy_stats.ttest_rel(first, second)
    assert (plain.t, plain.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-6, abs=1e-12)
    wider = np.sqrt(1 + share * len(first))  # (1/n + share) / (1/n)
    assert corrected.t * wider == pytest.approx(plain.t)
    assert corrected.high - corrected.low == pytest.approx(wider * (plain.high - plain.low))


def test_the_correction_holds_the_level_where_splits_are_correlated_as_it_assumes():
    """Nadeau and Bengio's model: differences of n splits, any two correlated by test/(test + train)."""
    rng, share, n, trials = np.random.default_rng(0), 0.25, 5, 4000
    correlation = share / (1 + share)
    shared, own = rng.normal(size=(trials, 1)), rng.normal(size=(trials, n))
    differences = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    zeros = np.zeros(n)
    wrongly = {
        ratio: np.mean([stats.paired_t(row, zeros, ratio).p < 0.05 for row in differences]) for ratio in (0.0, share)
    }
    assert wrongly[share] == pytest.approx(0.05, abs=0.012)  # 3.5 standard errors
    assert wrongly[0.0] > 0.1


def test_wilcoxon_on_hollander_and_wolfes_example():
    assert stats.wilcoxon_exact(BEFORE, AFTER)[0] == pytest.approx(2 * 0.01953125)  # one-sided there


def all_signs(differences):
    """Two-sided p by trying all signs of the averaged ranks."""
    kept = np.array([d for d in differences if d != 0])
    ranks = scipy_stats.rankdata(np.abs(kept))
    sums = np.array([np.dot(signs, ranks) for signs in product((0, 1), repeat=len(kept))])
    seen = ranks[kept > 0].sum()
    return min(1, 2 * min((sums <= seen + 1e-9).mean(), (sums >= seen - 1e-9).mean()))


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=8).filter(any))
def test_wilcoxon_equals_all_signs_with_ties_and_zeros(differences):
    p, lowest = stats.wilcoxon_exact(differences, np.zeros(len(differences)))
    assert p == pytest.approx(all_signs(differences))
    assert p >= lowest == 2 / 2 ** np.count_nonzero(differences)


def test_wilcoxon_ties_decimal_differences():
    assert 0.3 - 0.2 < 0.4 - 0.3, "not equal in binary, so that the test below means something"
    decimals = stats.wilcoxon_exact([0.3, 0.3, 0.5, 0.9], [0.2, 0.4, 0.1, 0.2])
    assert decimals == stats.wilcoxon_exact([3, 3, 5, 9], [2, 4, 1, 2])


def closed_bonferroni(p_values):
    """Holm's procedure by its meaning: reject where Bonferroni rejects every set of hypotheses that holds this one."""
    names = range(len(p_values))
    sets = list(chain.from_iterable(combinations(names, size) for size in range(1, len(p_values) + 1)))
    joint = {chosen: min(1, len(chosen) * min(p_values[i] for i in chosen)) for chosen in sets}
    return [max(joint[chosen] for chosen in sets if i in chosen) for i in names]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_equals_closed_testing(p_values):
    assert stats.holm(p_values) == pytest.approx(closed_bonferroni(p_values))


def test_power_of_the_paired_t_as_tabled():
    """Cohen's d = 0.5, 80 %: n = 33.36713 in R's pwr; G*Power rounds up to 34, with power 0.8077775."""
    assert stats.power(0.5, 1, 34) == pytest.approx(0.8077775, abs=1e-6)
    assert stats.detectable_difference(1, 34) < 0.5 < stats.detectable_difference(1, 33)
    assert stats.power(0, 1, 5) == 0.05


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_power_equals_a_simulation(share):
    rng, n, difference, correlation = np.random.default_rng(1), 5, 1.5, share / (1 + share)
    # correlated as Nadeau and Bengio assume, with a spread within the splits of one
    shared, own = rng.normal(size=(20_000, 1)), rng.normal(size=(20_000, n))
    drawn = difference + np.sqrt(correlation / (1 - correlation)) * shared + own
    error = drawn.std(axis=1, ddof=1) * np.sqrt(1 / n + share)
    found = np.abs(drawn.mean(axis=1) / error) > scipy_stats.t.ppf(0.975, n - 1)
    assert stats.power(difference, 1, n, share) == pytest.approx(found.mean(), abs=0.012)
    assert stats.power(stats.detectable_difference(1, n, share), 1, n, share) == pytest.approx(0.8)


def test_bootstrap_on_efron_and_tibshiranis_example():
    """Their Table 14.2 for the variance, 171.5, has 90 % intervals of 2000 draws; here the 95 % ones hold them."""
    assert np.var(SPATIAL) == pytest.approx(171.5, abs=0.1)
    low, high = stats.bootstrap_interval(SPATIAL, lambda drawn: float(np.var(drawn)))
    assert low < 115.8 < 259.6 < high  # BCa there
    plain_low, plain_high = stats.bootstrap_interval(SPATIAL, lambda drawn: float(np.var(drawn)), method="percentile")
    assert plain_low < 100.8 < 233.9 < plain_high  # percentile there
    assert low > plain_low and high > plain_high, "BCa moves up, as there"


def test_percentile_bootstrap_equals_all_resamples():
    values = [0.2, 0.5, 0.9, 1.4]
    means = [np.mean(drawn) for drawn in product(values, repeat=4)]
    expected = np.quantile(means, [0.025, 0.975])
    found = stats.bootstrap_interval(values, lambda drawn: float(np.mean(drawn)), 5000, "percentile")
    assert found == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.paired_t([1, 2], [1, 2, 3]), "one length"),
        (lambda: stats.paired_t([1], [2]), "at least two"),
        (lambda: stats.paired_t([1, 2], [float("nan"), 2]), "not a finite number"),
        (lambda: stats.paired_t([2, 3], [1, 2]), "all paired differences are equal"),
        (lambda: stats.wilcoxon_exact([1, 2], [1, 2]), "all paired differences are zero"),
        (lambda: stats.wilcoxon_exact(np.ones(20), np.zeros(20)), "20 differences with ties"),
        (lambda: stats.holm([0.1, 1.2]), "from 0 to 1"),
        (lambda: stats.holm([0.1, float("nan")]), "from 0 to 1"),
        (lambda: stats.mean_interval([1.0]), "at least two values"),
        (lambda: stats.bootstrap_interval([1], np.mean), "at least two items"),
    ],
)
def test_what_cannot_be_computed_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_resampled_scores_spread_as_their_videos_and_their_seeds_do():
    """Of scores that add an effect of the video and one of the seed, the variances of both means add up."""
    rng = np.random.default_rng(0)
    truth = rng.normal(0.5, 0.1, (200, 1)) + rng.normal(0, 0.05, (1, 100))
    parts = np.stack([truth, np.ones_like(truth)], axis=-1)[:, :, None]
    by_videos, both = (stats.resampled(parts, 4000, seeds=seeds).var() for seeds in (False, True))
    assert by_videos == pytest.approx((100 * truth.mean(axis=1)).var() / 200, rel=0.1)
    assert both - by_videos == pytest.approx((100 * truth.mean(axis=0)).var() / 100, rel=0.1)


def test_enough_videos_are_enough():
    """With the number of videos asked for, the normal approximation finds the difference in 80 % of all trials."""
    videos, seeds = stats.needed(2.0, 50, 1.5**2, 3, 0.5**2)
    error = np.sqrt(1.5**2 * 50 / videos + 0.5**2)
    found = np.random.default_rng(1).normal(2.0, error, 20_000) > 1.96 * error
    assert found.mean() == pytest.approx(0.8, abs=0.01)
    assert seeds == np.inf, "the videos alone leave too much"
