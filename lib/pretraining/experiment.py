"""Why did one GPU fail and seven work? Pre-trainings that differ in one thing each (2.6, beyond the thesis).

The thesis compared C = 1 with C = 7 at an equal number of epochs, one run each, and so changed the number of updates
sevenfold too. Here the same runs, those of 2.5 and 2.6, are compared at an equal number of updates and at an equal
number of pairs, over the repeats of the profile. Beside them, `experiment` names runs with other C or other negatives.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from lib.core.devices import single_process
from lib.core.processes import spread
from lib.core.settings import Params, RecipeName
from lib.data.profile import Profile
from lib.pretraining.recipes import prepare, run_recipe
from lib.scoring.stats import direction, mean_interval

MEASURED = ("zero_shot", "random_loss", "hard_loss")


@dataclass(frozen=True)
class Variant:
    """One cell of the experiment: C, which negatives ("fresh", "stale" or "random"), and k if not the profile's."""

    clusters: int
    negatives: str
    seed: int
    size: int | None = None

    @property
    def kind(self) -> str:
        return self.negatives if self.size is None else f"{self.negatives}, k = {self.size}"

    @property
    def name(self) -> str:
        return f"c{self.clusters}_{self.kind.replace(', k = ', '_k')}_seed_{self.seed}"


def variants(params: Params) -> list[Variant]:
    """List the variants: each C with fresh clusters and, at the C of the recipe "own", other kinds of negatives.

    A smaller k comes with more clusters per update, so that an update keeps its number of pairs.
    """
    settings, own = params.experiment, params.pretrain.recipes["own"].clusters_per_update
    pairs = own * params.pretrain.videos_per_cluster
    cells = [(clusters, "fresh", None) for clusters in sorted({*_recipes(params), *settings.clusters_per_update})]
    cells += [(own, negatives, None) for negatives in settings.negatives]
    cells += [(pairs // size, "fresh", size) for size in settings.videos_per_cluster]
    repeats = range(params.data.repeats)
    return [Variant(clusters, negatives, seed, size) for clusters, negatives, size in cells for seed in repeats]


def _recipes(params: Params) -> dict[int, RecipeName]:
    """Recipes of 2.5 and 2.6 by their C."""
    names: tuple[RecipeName, ...] = ("one_cluster", "own")
    return {params.pretrain.recipes[name].clusters_per_update: name for name in names}


def run_experiment(profile: Profile, workers: int) -> pd.DataFrame:
    """Train all variants, one process each, `workers` at a time; finished ones, such as the recipes', are read.

    Returns their histories, stacked, with columns clusters, negatives and seed; update 0 is the untrained model.
    """
    one = partial(run_variant, Profile(profile.params, profile.out))
    # without repeats, most have been trained already
    at_once = workers if len(profile.repeats) > 1 else 1
    return pd.concat(spread(one, variants(profile.params), at_once), ignore_index=True)


def run_variant(profile: Profile, variant: Variant) -> pd.DataFrame:
    """Train one variant, or read it; returns its history."""
    settings, seed = profile.params.pretrain, variant.seed
    name = _recipes(profile.params).get(variant.clusters)
    if name and variant.negatives == settings.mining.negatives and variant.size is None:
        history = run_recipe(profile, name, single_process(), seed)
    else:
        mining = settings.mining.model_copy(update={"negatives": variant.negatives})
        size = variant.size or settings.videos_per_cluster
        changed = settings.model_copy(update={"mining": mining, "videos_per_cluster": size})
        recipe = settings.recipes["own"].model_copy(update={"clusters_per_update": variant.clusters})
        folder = profile.out.root / "runs" / "experiment" / variant.name
        history = prepare(profile, recipe, changed, folder, single_process(), seed or settings.seed).run()
    return history.assign(clusters=variant.clusters, negatives=variant.kind, seed=seed)


def at_equal(histories: pd.DataFrame, by: str) -> pd.DataFrame:
    """The last measurement that all runs have in common, `by` "update" or "pairs": a row per run.

    The index is (clusters, negatives, seed). Raises ValueError: there is none after the first update.
    """
    cells = ["clusters", "negatives", "seed"]
    measured = [set(part) for _, part in histories.groupby(cells)[by]]
    last = max(set.intersection(*measured), default=0)
    if not last:
        raise ValueError(
            f"experiment: no {by} number at which all runs were measured; choose epochs, validations and"
            " clusters_per_update so that there is one"
        )
    return histories[histories[by] == last].set_index(cells).sort_index()


def compare(histories: pd.DataFrame, by: str, measures: Iterable[str] = MEASURED) -> pd.DataFrame:
    """Compare the variants at an equal number of updates or pairs.

    Returns one row per variant: clusters, negatives, updates, pairs, and mean and half width (±) of the 95 % interval
    over the seeds of each of the measures.
    """
    rows = []
    for (clusters, negatives), part in at_equal(histories, by).groupby(["clusters", "negatives"]):
        row = {"clusters": clusters, "negatives": negatives}
        row |= {"updates": part["update"].max(), "pairs": part["pairs"].max()}
        for measure in measures:
            row[measure], row[f"{measure} ±"] = over_seeds(part[measure].tolist())
        rows.append(row)
    return pd.DataFrame(rows)


def difference(
    histories: pd.DataFrame, measure: str, first: tuple[int, str], second: tuple[int, str], by: str
) -> tuple[float, float]:
    """Estimate second - first at an equal `by`, paired by seed: mean and half width of the 95 % interval."""
    values = at_equal(histories, by)[measure]
    return over_seeds((values.loc[second] - values.loc[first]).tolist())


def over_seeds(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half the width of its 95 % interval, which is NaN for one seed.

    >>> over_seeds([2.5])
    (2.5, nan)
    """
    return mean_interval(values) if len(values) > 1 else (values[0], math.nan)


def runs_of(histories: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Runs with fresh clusters as `lib.scoring.claims.check` takes them, named by C or, with a smaller k, in words."""
    fresh = histories[histories["negatives"].str.startswith("fresh")]
    named = ("C = " + fresh["clusters"].astype(str)).where(fresh["negatives"] == "fresh", "fewer videos per cluster")
    return {str(name): runs for name, runs in fresh.groupby(named)}


def fresh_curves(histories: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """Zero-shot accuracy of the runs with fresh clusters, one column per seed, by updates and by pairs seen."""
    fresh, panels = histories[histories["negatives"] == "fresh"], {}
    for by, label in (("update", "updates"), ("pairs", "pairs seen")):
        panels[label] = {
            f"C = {clusters}": part.pivot_table(index=by, columns="seed", values="zero_shot").rename_axis(label)
            for clusters, part in fresh.groupby("clusters")
        }
    return panels


def findings(histories: pd.DataFrame, params: Params) -> Iterator[str]:
    """Yield each comparison of the experiment in words."""
    units = {"zero_shot": "points of zero-shot accuracy", "hard_loss": "in validation loss (mined negatives)"}
    # the thesis compared 7 with 1
    few, own = (params.pretrain.recipes[name].clusters_per_update for name in ("one_cluster", "own"))
    for measure, unit in units.items():
        for by, equal in (("update", "updates"), ("pairs", "pairs")):
            found = difference(histories, measure, (few, "fresh"), (own, "fresh"), by)
            yield f"**C = {own} against C = {few}, equal {equal}**: {in_words(*found, unit)}."
    for negatives in params.experiment.negatives:
        for measure, unit in units.items():
            found = difference(histories, measure, (own, "fresh"), (own, negatives), "pairs")
            yield f"**{negatives.capitalize()} against fresh clusters** (C = {own}): {in_words(*found, unit)}."
    gap = (histories["hard_loss"] - histories["random_loss"])[histories["update"] > 0]
    mean, half = over_seeds(gap.groupby(histories["seed"]).mean().tolist())
    yield f"**Mined against random validation**, with the same weights: {in_words(mean, half, 'in loss')}."


def in_words(mean: float, half: float, unit: str) -> str:
    """A difference with its interval, and what it says.

    >>> in_words(1.0, 2.0, "points"), in_words(-3.0, 1.0, "points")
    ('+1.00 ± 2.00 points, inconclusive', '-3.00 ± 1.00 points, lower')
    >>> in_words(1.0, math.nan, "points")
    '+1.00 points in one run each, inconclusive'
    """
    if math.isnan(half):
        return f"{mean:+.2f} {unit} in one run each, inconclusive"
    return f"{mean:+.2f} ± {half:.2f} {unit}, {direction(mean - half, mean + half)}"
