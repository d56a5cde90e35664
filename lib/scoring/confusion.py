"""Confusion matrices (thesis Figures 18, 19, 21, 23, 25, 27) and the kinds of confused pairs (2.8.3), in seconds.

Prediction and truth are sampled in the middle of each second by `at_one_fps`. The thesis took the truth from
`lib.scoring.seconds.second_targets`, which differs from the frames in 2.3 % of the real set, so counts differ a little.

The thesis explains its errors by classes that are alike. A class name is a verb, an object and maybe a place, such as
`place_tomato_into_bowl`. Two classes may share the verb or the object, or have objects that look alike (LOOK_ALIKE);
one pair may be of several kinds. Pairs with a class that names no action are neutral and of no other kind.

Chance can look the same: a class that is often predicted takes wrong seconds from all others, and a kind with many
pairs takes more of them than a kind with few. So shares are compared with chance.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from sklearn import metrics

from lib.core.paths import Outputs
from lib.data.dataset import Dataset
from lib.data.predictions import PredictionError, prediction_pairs
from lib.scoring.labels import LabelError
from lib.scoring.metrics import Pair
from lib.scoring.seconds import at_one_fps

NEUTRAL = ("action_start", "action_end", "background")
LOOK_ALIKE = {
    frozenset({"vinegar", "oil"}): "both are poured from clear bottles (thesis 2.8.3)",
    frozenset({"salt", "pepper"}): "their shakers (thesis 2.8.3)",
    frozenset({"pepper", "dressing"}): "a shaker and the glass in which the dressing is mixed (thesis 2.8.3)",
    frozenset({"cucumber", "lettuce"}): "green, of like size (thesis 2.8.3, 2.9.1)",
    frozenset({"cucumber", "cheese"}): "of like colour and size (thesis 2.8.3)",
}
VERB, OBJECT, LOOK, NO_ACTION, OTHER = "shared verb", "shared object", "look-alike", "neutral", "other"
CONFUSED = 0.10  # from this share of its seconds on, a class counts as confused; the thesis judged by eye
ALIKE = "alike"  # shares the verb or the object, or looks alike
KINDS = (VERB, OBJECT, LOOK, ALIKE, NO_ACTION, OTHER)  # every pair is of exactly one of the last three


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
    """Mark the pairs of different classes of one of KINDS: booleans (K, K), symmetric, False on the diagonal."""
    wanted = {VERB, OBJECT, LOOK} if kind == ALIKE else {kind}
    rows = [[a != b and bool(wanted.intersection(kinds(a, b))) for b in classes] for a in classes]
    return np.array(rows)


Matrices = Mapping[int, pd.DataFrame]  # split -> matrix


def confusion_matrix(pairs: Iterable[Pair], classes: Sequence[str]) -> pd.DataFrame:
    """Count the seconds of each class by the label they got.

    Args:
        pairs: (prediction, ground truth) of each video, one class name per second. A longer prediction is cut.
        classes: all K names, in the order of the matrix.

    Returns:
        Seconds, int64 (K, K): true classes are the rows, predicted ones the columns.

    Raises LabelError: no seconds, a prediction is too short, or a name is not among the classes.

    >>> confusion_matrix([(["cut", "cut"], ["cut", "mix"])], ["cut", "mix"]).to_numpy().tolist()
    [[1, 0], [1, 0]]
    """
    predicted: list[str] = []
    true: list[str] = []
    for number, (prediction, truth) in enumerate(pairs, 1):
        if len(prediction) < len(truth):
            raise LabelError(f"pair {number}: {len(prediction)} predicted seconds for {len(truth)}; predict all")
        predicted += [str(name) for name in prediction[: len(truth)]]
        true += [str(name) for name in truth]
    if not true:
        raise LabelError("no seconds to count")
    if unknown := {*predicted, *true} - set(classes):
        raise LabelError(f"class {min(unknown)!r} is not among the {len(classes)} classes of the matrix")
    counts = metrics.confusion_matrix(true, predicted, labels=list(classes))
    return pd.DataFrame(counts, list(classes), list(classes)).rename_axis(index="true", columns="predicted")


def video_matrices(
    out: Outputs, dataset: Dataset, splits: Iterable[int], method: str
) -> dict[int, dict[str, pd.DataFrame]]:
    """Split -> test video -> its matrix, from predictions/<method>/split_<k>/.

    Raises PredictionError: a prediction is missing or cannot be used.
    """
    found = {}
    for split in splits:
        pairs = prediction_pairs(out.predictions(method, split), dataset, dataset.split(split)[1])
        found[split] = {
            video: confusion_matrix([(at_one_fps(ours, dataset.fps), at_one_fps(truth, dataset.fps))], dataset.classes)
            for video, (ours, truth) in pairs.items()
        }
    return found


def split_matrices(out: Outputs, dataset: Dataset, splits: Iterable[int], method: str) -> dict[int, pd.DataFrame]:
    """Split -> the sum of its `video_matrices`.

    Raises PredictionError: a prediction is missing or cannot be used.
    """
    return {split: summed(videos) for split, videos in video_matrices(out, dataset, splits, method).items()}


def predicted_methods(out: Outputs, methods: Mapping[str, str]) -> dict[str, str]:
    """Select those of `methods` (name -> method) with predictions of at least one split.

    Raises PredictionError: there are none.
    """
    present = {name: method for name, method in methods.items() if out.predictions(method, 1).parent.is_dir()}
    if not present:
        folder = out.predictions("", 1).parent
        raise PredictionError(f"{folder}: holds neither {' nor '.join(methods.values())}; run their notebooks first")
    return present


def summed(matrices: Mapping) -> pd.DataFrame:
    """Sum the matrices of all splits, or of all videos, which have the same classes."""
    parts = list(matrices.values())
    # a bootstrap asks for thousands of sums, and pandas would align the classes of each
    return pd.DataFrame(np.sum([part.to_numpy() for part in parts], axis=0), parts[0].index, parts[0].columns)


def wrong_seconds(matrix: pd.DataFrame) -> np.ndarray:
    """The matrix without its diagonal, float64 (K, K)."""
    return np.where(np.eye(len(matrix), dtype=bool), 0.0, matrix.to_numpy())


def row_shares(matrix: pd.DataFrame) -> pd.DataFrame:
    """Each row as shares of the true class's seconds, 0 … 1; NaN for a class without any.

    >>> row_shares(pd.DataFrame([[3, 1], [0, 0]])).to_numpy().tolist()
    [[0.75, 0.25], [nan, nan]]
    """
    return matrix.div(matrix.sum(axis=1).where(lambda seconds: seconds > 0), axis=0)


def long_table(matrices: Matrices) -> pd.DataFrame:
    """All cells of the matrices, for a CSV.

    Returns columns split (a number; "all" is their sum, if there are several), true, predicted, seconds, share (of the
    true class's seconds; NaN where it has none).
    """
    panels: dict[int | str, pd.DataFrame] = {**matrices}
    if len(matrices) > 1:
        panels["all"] = summed(matrices)
    tables = []
    for split, matrix in panels.items():
        cells = matrix.stack().rename("seconds").reset_index()
        cells["share"] = row_shares(matrix).to_numpy().ravel()
        cells.insert(0, "split", split)
        tables.append(cells)
    return pd.concat(tables, ignore_index=True)


def confused_pairs(matrices: Matrices, most: int) -> pd.DataFrame:
    """The ordered pairs of classes that cost the most seconds, `most` per split and of all splits together.

    Returns rows of `long_table`, without correct seconds and empty cells, most seconds first in each split, with the
    column kinds, such as "shared verb, look-alike".
    """
    cells = long_table(matrices)
    wrong = cells[(cells["true"] != cells["predicted"]) & (cells["seconds"] > 0)]
    each = wrong.groupby("split", sort=False)["seconds"].nlargest(most)
    worst = wrong.loc[each.index.get_level_values(-1)]
    pairs = zip(worst["true"], worst["predicted"], strict=True)
    return worst.assign(kinds=[", ".join(kinds(*pair)) for pair in pairs]).reset_index(drop=True)


def labelled_as(matrix: pd.DataFrame, true: str, predicted: str) -> float:
    """Share of the true class's seconds with this label; NaN where the class has no seconds."""
    row = matrix.to_numpy()[matrix.index.get_loc(true)]
    return float(row[matrix.columns.get_loc(predicted)] / row.sum()) if row.sum() else np.nan


def confusion(matrix: pd.DataFrame, name: str, *others: str) -> float:
    """The largest share of a class's seconds labelled as one of `others`, or of their seconds labelled as the class."""
    shares = [labelled_as(matrix, *pair) for other in others for pair in ((name, other), (other, name))]
    return float(np.fmax.reduce(shares))


def lead(matrix: pd.DataFrame, name: str, side: Literal["true", "predicted"]) -> float:
    """Lead of a class over the next in its share of all wrong seconds, counted by true or by predicted class."""
    wrong = pd.Series(wrong_seconds(matrix).sum(axis=1 if side == "true" else 0), matrix.index)
    return float((wrong[name] - wrong.drop(name).max()) / wrong.sum()) if wrong.any() else np.nan


def lead_in_row(matrix: pd.DataFrame, true: str, predicted: str) -> float:
    """Share of the true class's seconds taken for `predicted`, less the share taken for the next most frequent."""
    shares = row_shares(matrix).loc[true].drop(true)
    return float(shares[predicted] - shares.drop(predicted).max())


def wrong_part(matrix: pd.DataFrame, name: str) -> float:
    """Share of errors among the seconds that belong to a class or are labelled as it."""
    right = matrix.loc[name, name]
    either = matrix.loc[name].sum() + matrix[name].sum() - right
    return float(1 - right / either) if either else np.nan


def verb_recognized(matrix: pd.DataFrame, verb: str) -> float:
    """Share of a verb's seconds that get a label with the verb, less the share of all other seconds that do."""
    of_verb = matrix.index.str.startswith(f"{verb}_")
    labelled, seconds = matrix.loc[:, of_verb].sum(axis=1), matrix.sum(axis=1)
    inside, outside = seconds[of_verb].sum(), seconds[~of_verb].sum()
    if not (inside and outside):
        return np.nan
    return float(labelled[of_verb].sum() / inside - labelled[~of_verb].sum() / outside)


def confused_part(matrices: Mapping[int, pd.DataFrame], name: str | None = None) -> float:
    """Share of the pairs of classes that are confused (CONFUSED), over all splits: how little the word may mean."""
    found = []
    for matrix in matrices.values():
        shares = row_shares(matrix).to_numpy()
        larger = np.fmax(shares, shares.T)
        chosen = np.triu(np.ones_like(larger, dtype=bool), k=1)
        if name is not None:
            chosen &= (matrix.index == name) | (matrix.index == name)[:, None]
        found.append(larger[chosen & ~np.isnan(larger)] >= CONFUSED)
    return float(np.concatenate(found).mean())


def by_chance(matrix: pd.DataFrame, uniform: bool = False) -> np.ndarray:
    """Expected wrong seconds if a wrong label had nothing to do with the true class, float64 (K, K).

    A class keeps its number of wrong seconds; they fall on the other classes in proportion to how often each is
    predicted overall, or evenly (`uniform`).
    """
    weights = np.ones(len(matrix)) if uniform else matrix.to_numpy().sum(axis=0)
    spread = np.where(np.eye(len(matrix), dtype=bool), 0.0, weights)
    total = spread.sum(axis=1, keepdims=True)  # 0 only where the class has no wrong second
    return wrong_seconds(matrix).sum(axis=1, keepdims=True) * spread / np.where(total > 0, total, 1)


def kind_shares(matrices: Matrices) -> pd.DataFrame:
    """Share of each kind in all wrong seconds, against chance.

    Returns one row per split and kind: split, kind, seconds, share, by_prediction, uniform (the shares under the two
    chances of `by_chance`); shares are 0 … 1, NaN in a split without wrong seconds. The shares of "alike", "neutral"
    and "other" add up to 1.
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
    """Test whether more wrong seconds fall on pairs of a kind than if names were dealt to the classes at random.

    A permutation test of the association of two matrices (Mantel, Cancer Research 1967): the seconds beyond
    `by_chance`, and the pairs of the kind. Classes that name no action stay out. Seconds of one segment are not
    independent, which is why they are not permuted.

    Returns the share of random namings that do at least as well, the true one included.
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
    """Summarize the kinds over all splits.

    Returns one row per kind, index kind: pairs (of different classes, both orders), share, by_prediction and uniform
    (means over the splits of `kind_shares`), splits_above (in how many splits the share is above by_prediction), p (of
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


def worst_pair(pairs: pd.DataFrame) -> str:
    """Name the pair that costs the most seconds over all splits, and say how far the splits agree.

    >>> row = {"split": 1, "true": "cut", "predicted": "mix", "seconds": 9, "share": 0.5, "kinds": "other"}
    >>> worst_pair(pd.DataFrame([row, row | {"split": 2}, row | {"split": "all", "seconds": 18}]))
    'most seconds go from `cut` to `mix` (18 s, 50 % of that class; other). 1 pair is the worst of some split.'
    """
    top = pairs[pairs["split"] == pairs["split"].iloc[-1]].iloc[0]
    each = pairs[pairs["split"] != "all"].groupby("split").head(1)
    worst = len(each[["true", "predicted"]].drop_duplicates())
    return (
        f"most seconds go from `{top['true']}` to `{top['predicted']}` ({top['seconds']} s, {100 * top['share']:.0f} % "
        f"of that class; {top['kinds']}). {worst} {'pairs are' if worst > 1 else 'pair is'} the worst of some split."
    )


def alike_errors(summary: pd.DataFrame, splits: int) -> str:
    """Say how many wrong seconds fall between alike classes, against chance; `summary`: from `kind_summary`."""
    share, chance = 100 * summary["share"], 100 * summary["by_prediction"]
    return (
        f"{share[ALIKE]:.0f} % of the errors are between similar classes; {chance[ALIKE]:.0f} % would be expected by "
        f"chance. They are more than expected in {summary.loc[ALIKE, 'splits_above']:.0f} of {splits} splits "
        f"(p = {summary.loc[ALIKE, 'p']:.4f} against random namings of the classes). "
        f"Shared verb: {share[VERB]:.0f} % ({chance[VERB]:.0f} % by chance). "
        f"Shared object: {share[OBJECT]:.0f} % ({chance[OBJECT]:.0f} %)."
    )
