"""Kinds of confused pairs, and the claims of thesis 2.8.3 on matrices whose answers are known."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from lib.notebook.figures import draw_kinds
from lib.scoring.confusion import (
    KINDS,
    by_chance,
    kind_shares,
    kind_summary,
    kinds,
    of_kind,
    relabelling_test,
    wrong_seconds,
)
from lib.scoring.error_claims import (
    CLAIMS,
    check_claims,
    claims_table,
    confused_part,
    confusion,
    rank,
    verb_recognized,
    vote,
    wrong_part,
)

CLASSES = """cut_tomato place_tomato_into_bowl cut_cheese place_cheese_into_bowl cut_lettuce place_lettuce_into_bowl
add_salt add_vinegar add_oil add_pepper mix_dressing peel_cucumber cut_cucumber place_cucumber_into_bowl add_dressing
mix_ingredients serve_salad_onto_plate action_start action_end""".split()  # noqa: SIM905

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
    """100 s of each class, all right but these: true class = {label: seconds}."""
    matrix = frame(np.eye(19) * 100)
    for true, labels in rows.items():
        for predicted, seconds in labels.items():
            matrix.loc[true, predicted] += seconds
            matrix.loc[true, true] -= seconds
    return matrix


def as_the_thesis_says(split):
    end = {"action_end": 15} if split in (4, 5) else {}
    sinks = {f"cut_{food}": {CUT: 45} for food in ("tomato", "cheese", "lettuce")}
    own = matrix_of(
        cut_cucumber={"peel_cucumber": 25, "cut_tomato": 20, "cut_cheese": 20, "cut_lettuce": 15} | end,
        add_vinegar={"add_oil": 30},
        serve_salad_onto_plate={"action_end": 20},
        **sinks,
    )
    pepper = dict.fromkeys(["add_vinegar", "add_oil", "add_salt", "mix_dressing", "add_dressing"], 15)
    public = matrix_of(
        cut_cucumber={"peel_cucumber": 12, "cut_cheese": 11, "cut_lettuce": 11},
        add_oil={"add_vinegar": 28},
        add_pepper=pepper,
        action_start={"action_end": 40},
    )
    return own, public


def as_the_thesis_does_not_say(split):
    lost = {f"cut_{food}": {"mix_ingredients": 100} for food in ("tomato", "cheese", "lettuce")}
    lost[CUT] = {"mix_ingredients": 80}
    elsewhere = {} if split in (4, 5) else {CUT: 50}
    own = matrix_of(add_vinegar={"add_oil": 9}, add_pepper={"add_salt": 30}, action_end=elsewhere, **lost)
    return own, matrix_of(action_end={"action_start": 40, CUT: 60}, **lost)


def checked(case, splits=(1, 2, 3, 4, 5)):
    both = {split: case(split) for split in splits}
    return check_claims(CLAIMS, {name: {s: both[s][i] for s in splits} for i, name in enumerate(("own", "public"))})


def test_all_claims_are_seen_where_they_are_true():
    table = checked(as_the_thesis_says)
    assert table["as_claimed"].all(), table[~table["as_claimed"]]
    assert len(table) == 5 * len(CLAIMS)


def test_no_claim_is_seen_where_they_are_false():
    table = checked(as_the_thesis_does_not_say)
    assert not table["as_claimed"].any(), table[table["as_claimed"]]


def test_a_claim_that_names_splits_must_hold_there_and_nowhere_else():
    claims = [claim for claim in CLAIMS if claim.only]
    here = matrix_of(cut_cucumber={"action_end": 10})
    none = matrix_of()
    for seen, expected in (
        ((4, 5), "supported"),
        ((1, 2, 3, 4, 5), "inconclusive"),
        ((1, 2, 3), "contradicted"),
        ((), "supported"),  # right on three splits of five: the verdict counts splits
    ):
        table = check_claims(claims, {"own": {split: here if split in seen else none for split in range(1, 6)}})
        assert table["as_claimed"].tolist() == [(split in seen) == (split in (4, 5)) for split in range(1, 6)]
        assert vote(table["as_claimed"]) == expected


def test_claims_without_predictions_are_not_judged():
    own = {split: as_the_thesis_says(split)[0] for split in (2, 4)}
    table = check_claims(CLAIMS, {"own": own})
    known = {place for place, claim in enumerate(CLAIMS, 1) if claim.needs == ("own",)}
    assert set(table.dropna(subset="as_claimed")["claim"]) == known
    styler, rows = claims_table(table)
    assert set(rows.loc[~rows["claim"].isin(known), "verdict"]) == {"inconclusive"}
    assert "nan" not in styler.to_html()


def test_a_data_set_of_other_classes_is_refused():
    with pytest.raises(ValueError, match="are confused”: the data set has no class 'cut_cucumber'"):
        check_claims(CLAIMS, {"own": {1: matrix_of().drop(index=CUT, columns=CUT)}})


def test_measures_by_hand():
    matrix = matrix_of(cut_tomato={CUT: 30, "cut_cheese": 10, "action_end": 5}, cut_cheese={CUT: 12}, add_oil={CUT: 9})
    assert confusion(matrix, CUT, "cut_tomato") == confusion(matrix, "cut_tomato", CUT) == 0.3
    assert (rank(matrix, "cut_tomato", "true"), rank(matrix, "add_oil", "true"), rank(matrix, CUT, "true")) == (1, 3, 4)
    assert (rank(matrix, CUT, "predicted"), rank(matrix, "action_end", "predicted")) == (1, 3)
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
    assert np.isnan(rank(matrix_of(), CUT, "true")), "nothing is wrong"
    assert confused_part({1: empty}) == 0


def test_the_claims_table_is_bold_where_it_is_as_claimed():
    styler, rows = claims_table(checked(as_the_thesis_says, splits=(1, 4)))
    page = styler.to_html()
    assert "&lt; 0.10" in page, "escaped"
    assert (styler.data["verdict"] == "supported").all() and set(rows["verdict"]) == {"supported"}
    assert [column for column in styler.data if column.startswith("split")] == ["split 1", "split 4"]
    assert "font-weight: bold" in page
    assert "bold" not in claims_table(checked(as_the_thesis_does_not_say))[0].to_html()


def test_the_figure_of_kinds_shows_means_splits_and_chance():
    own, public = ({1: as_the_thesis_says(1)[i], 4: as_the_thesis_says(4)[i]} for i in (0, 1))
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
