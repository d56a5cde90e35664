"""Kinds of confused pairs, and measures of confusion, on matrices whose answers are known."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from lib.demo.script import CLASS_NAMES
from lib.notebook.figures import draw_kinds
from lib.scoring.confusion import (
    KINDS,
    by_chance,
    confused_part,
    confusion,
    kind_shares,
    kind_summary,
    kinds,
    lead,
    lead_in_row,
    of_kind,
    relabelling_test,
    verb_recognized,
    wrong_part,
    wrong_seconds,
)

CLASSES = list(CLASS_NAMES)

SAME_VERB = [
    {"cut_tomato", "cut_cheese", "cut_lettuce", "cut_cucumber"},
    {"place_tomato_into_bowl", "place_cheese_into_bowl", "place_lettuce_into_bowl", "place_cucumber_into_bowl"},
    {"add_salt", "add_vinegar", "add_oil", "add_pepper", "add_dressing"},
    {"mix_dressing", "mix_ingredients"},
]
SAME_OBJECT = [
    {"cut_tomato", "place_tomato_into_bowl"},
    {"cut_cheese", "place_cheese_into_bowl"},
    {"cut_lettuce", "place_lettuce_into_bowl"},
    {"peel_cucumber", "cut_cucumber", "place_cucumber_into_bowl"},
    {"mix_dressing", "add_dressing"},
]
LIKE_CUCUMBER = {"cut_cheese", "place_cheese_into_bowl", "cut_lettuce", "place_lettuce_into_bowl"}
LOOK_ALIKE = [{"add_vinegar", "add_oil"}, {"add_salt", "add_pepper"}]
LOOK_ALIKE += [{"add_pepper", "mix_dressing"}, {"add_pepper", "add_dressing"}]
LOOK_ALIKE += [{cucumber, other} for cucumber in SAME_OBJECT[3] for other in LIKE_CUCUMBER]


def together(pair, groups):
    return any(set(pair) <= group for group in groups)


def test_kinds_of_all_pairs_of_the_real_classes():
    for pair in combinations(CLASSES, 2):
        if {"action_start", "action_end"} & set(pair):
            expected = {"neutral"}
        else:
            groups = {"shared verb": SAME_VERB, "shared object": SAME_OBJECT, "look-alike": LOOK_ALIKE}
            expected = {kind for kind, sets in groups.items() if together(pair, sets)} or {"other"}
        assert set(kinds(*pair)) == set(kinds(*reversed(pair))) == expected, pair


def test_names_of_other_data_sets():
    pairs = [("background", "cut_tomato"), ("stir", "stir_milk"), ("stir", "pour")]
    assert [kinds(*pair) for pair in pairs] == [("neutral",), ("shared verb",), ("other",)]


def frame(cells):
    return pd.DataFrame(np.asarray(cells, dtype=np.int64), CLASSES, CLASSES)


def test_kinds_as_matrices_share_out_all_pairs():
    alike, neutral, other = (of_kind(CLASSES, kind).astype(int) for kind in ("alike", "neutral", "other"))
    assert (alike + neutral + other == 1 - np.eye(19, dtype=int)).all()
    assert all((of_kind(CLASSES, kind) == of_kind(CLASSES, kind).T).all() for kind in KINDS)


matrices = st.integers(0, 2**32 - 1).map(
    lambda seed: frame(np.random.default_rng(seed).negative_binomial(0.2, 0.01, (19, 19)))
)


@given(matrices, st.booleans())
def test_chance_keeps_the_wrong_seconds_of_each_class(matrix, uniform):
    expected = by_chance(matrix, uniform)
    assert expected.sum(axis=1) == pytest.approx(wrong_seconds(matrix).sum(axis=1))
    assert (expected.diagonal() == 0).all()


def test_chance_follows_what_is_predicted():
    matrix = pd.DataFrame([[5, 3, 0], [0, 6, 0], [0, 2, 2]], list("abc"), list("abc"))  # predicted 5, 11, 2 times
    assert by_chance(matrix).tolist() == [[0, 3 * 11 / 13, 3 * 2 / 13], [0, 0, 0], [2 * 5 / 16, 2 * 11 / 16, 0]]
    assert by_chance(matrix, uniform=True).tolist() == [[0, 1.5, 1.5], [0, 0, 0], [1, 1, 0]]


@given(matrices)
def test_shares_of_the_kinds(matrix):
    shares = kind_shares({3: matrix}).set_index("kind")
    assert shares.loc[["alike", "neutral", "other"], ["share", "by_prediction", "uniform"]].sum().tolist() == (
        pytest.approx([1, 1, 1])
    )
    loops = {kind: 0 for kind in KINDS}
    for a in CLASSES:
        for b in CLASSES:
            for kind in kinds(a, b) if a != b else ():
                loops[kind] += matrix.loc[a, b]
    assert {kind: loops[kind] for kind in KINDS if kind != "alike"} == shares["seconds"].drop("alike").to_dict()


def test_a_perfect_prediction_has_no_kinds():
    assert kind_shares({1: frame(np.eye(19) * 5)})["share"].isna().all()


def test_errors_within_a_verb_are_told_from_chance():
    within_verb = frame(np.eye(19) * 50 + of_kind(CLASSES, "shared verb") * 9)
    assert relabelling_test(within_verb, "shared verb", 999) == pytest.approx(0.001, abs=0.002)
    assert relabelling_test(within_verb, "shared object", 999) > 0.05
    row = kind_summary({1: within_verb, 2: within_verb}, 99).loc["shared verb"]
    assert (row["share"], row["splits_above"], row["pairs"]) == (1, 2, 46)
    assert row["by_prediction"] < 0.3


def test_a_class_that_is_said_too_often_proves_nothing():
    cells = np.zeros((19, 19))
    cells[:, CLASSES.index("cut_cucumber")] = 30
    summary = kind_summary({1: frame(cells)}, 99)
    assert summary["share"].to_numpy() == pytest.approx(summary["by_prediction"].to_numpy())
    assert summary.loc[["shared verb", "look-alike", "alike"], "p"].tolist() == [1, 1, 1]


def test_random_errors_are_seldom_called_alike():
    p = [relabelling_test(frame(np.random.default_rng(s).poisson(6, (19, 19))), "alike", 99) for s in range(60)]
    assert 0.3 < np.mean(p) < 0.7
    assert np.mean(np.array(p) <= 0.05) < 0.17


CUT = "cut_cucumber"


def matrix_of(**rows):
    """100 s of each class, all correct but these: true class = {label: seconds}."""
    matrix = frame(np.eye(19) * 100)
    for true, labels in rows.items():
        for predicted, seconds in labels.items():
            matrix.loc[true, predicted] += seconds
            matrix.loc[true, true] -= seconds
    return matrix


def test_measures_by_hand():
    matrix = matrix_of(cut_tomato={CUT: 30, "cut_cheese": 10, "action_end": 5}, cut_cheese={CUT: 12}, add_oil={CUT: 9})
    assert confusion(matrix, CUT, "cut_tomato") == confusion(matrix, "cut_tomato", CUT) == 0.3
    assert confusion(matrix, CUT, "add_oil", "cut_cheese") == 0.12, "the larger of several"
    assert lead(matrix, "cut_tomato", "true") == pytest.approx((45 - 12) / 66), "of 66 wrong seconds"
    assert lead(matrix, CUT, "true") == pytest.approx(-45 / 66)
    assert lead(matrix, CUT, "predicted") == pytest.approx((51 - 10) / 66)
    assert lead_in_row(matrix, "cut_tomato", CUT) == pytest.approx(0.2)
    assert lead_in_row(matrix, "cut_tomato", "action_end") == pytest.approx(-0.25)
    assert wrong_part(matrix, CUT) == pytest.approx(51 / 151)
    assert verb_recognized(matrix, "cut") == pytest.approx(395 / 400 - 9 / 1500)
    assert confused_part({1: matrix}) == 3 / 171  # tomato with cucumber and cheese, cheese with cucumber
    assert confused_part({1: matrix, 2: matrix_of()}, CUT) == 2 / 36


def test_measures_without_seconds_are_unknown():
    empty = matrix_of()
    empty.loc[["cut_tomato", CUT]] = 0
    assert np.isnan(confusion(empty, CUT, "cut_tomato"))
    assert confusion(empty, CUT, "add_oil") == 0, "the other direction is known"
    assert np.isnan(wrong_part(empty, CUT))
    assert np.isnan(lead(matrix_of(), CUT, "true")), "nothing is wrong"
    assert confused_part({1: empty}) == 0


def test_the_figure_of_kinds_shows_means_splits_and_chance():
    own, public = ({split: matrix_of(cut_tomato={CUT: seconds + split}) for split in (1, 4)} for seconds in (9, 20))
    shares = pd.concat([kind_shares(own).assign(weights="own"), kind_shares(public).assign(weights="public")])
    figure = draw_kinds(shares)
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == list(KINDS)
    means = shares.groupby(["weights", "kind"], sort=False)["share"].mean()
    assert [bar.get_width() for bar in ax.patches] == pytest.approx((100 * means).tolist())
    points = [value for line in ax.lines for value in line.get_xdata()]
    assert sorted(points) == pytest.approx(sorted(100 * shares["share"]))
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"own weights", "public weights", "by chance"}
    plt.close(figure)
