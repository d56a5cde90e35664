"""The thesis's claims: the data are sound, and the verdicts are right on numbers whose answers are known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.chapters import CHAPTERS, CLAIMING, PREDICTING
from lib.core.paths import Outputs
from lib.demo.script import CLASS_NAMES
from lib.notebook.parts import THEIRS, all_claims, shown_claims
from lib.scoring import claims
from lib.scoring.claims import QUANTITIES, chapters, check, claims_of, roughness, slips, tally, undecidable
from lib.scoring.published import METHOD_TABLES, SPLITS, published_table

CLASSES = list(CLASS_NAMES)
CUT = "cut_cucumber"


def verdicts(checked):
    return dict(zip(checked["claim"], checked["verdict"], strict=True))


def checked_claim(chapter, claim, **given):
    """The row of a claim that a chapter makes."""
    return check(chapter, **given).set_index("claim").loc[claim]


def tables(**columns):
    """Tables of scores: method -> values of the accuracy by split."""
    return {name: pd.DataFrame({"accuracy": values, "segments": 1.0}, index=SPLITS) for name, values in columns.items()}


def matrices(**labels):
    """Ten videos in each of five splits; 100 s of each class in a video, correct except for {true__predicted: share}.

    A share may be given by split.
    """
    found = {}
    for split in SPLITS:
        matrix = pd.DataFrame(np.eye(19) * 100, CLASSES, CLASSES)
        for pair, share in labels.items():
            true, predicted = pair.split("__")
            part = share.get(split, 0) if isinstance(share, dict) else share
            matrix.loc[true, true] -= 100 * part
            matrix.loc[true, predicted] += 100 * part
        rng = np.random.default_rng(split)
        found[split] = {f"v{n}": matrix * rng.uniform(0.9, 1.1) for n in range(10)}
    return found


def test_every_claim_can_be_checked_and_is_said_once():
    assert set(chapters()) <= CHAPTERS.keys()
    assert set(chapters()) - {"3_conclusion"} <= {*PREDICTING, *CLAIMING}, "chapter 3 reads them"
    every = [claim for chapter in chapters() for claim in claims_of(chapter)]
    said = [(claim.section, claim.text, claim.methods) for claim in every]
    assert len(said) == len(set(said)) > 100
    pairs = [claim for claim in every if QUANTITIES[claim.measure][0] == "matrices"]
    assert {name for claim in pairs for name in claim.of} <= {*CLASSES, "true", "predicted", "cut"}
    sections = {chapter.title.split()[0] for chapter in CHAPTERS.values()} | {"2.1.1", "2.2.2", "2.4.1", "2.4.2"}
    assert {*slips()["section"], *undecidable()["section"]} <= sections


@given(st.lists(st.floats(-1, 1), min_size=5, max_size=5))
def test_a_difference_is_judged_by_its_interval(gains):
    base = [0.5, 0.6, 0.5, 0.4, 0.5]
    scores = tables(baseline=base, videoclip_own_15_epochs=[a + b for a, b in zip(base, gains, strict=True)])
    claim = "fine-tuned VideoCLIP beats the baseline (own weights, 15 epochs)"
    row = checked_claim("3_conclusion", claim, tables=scores)
    assert row["here"] == pytest.approx(np.mean(gains)) and row["low"] <= row["here"] <= row["high"]
    assert row["thesis"] == pytest.approx(0.811 - 0.793, abs=1e-3)
    expected = "supported" if row["low"] > 0 else "contradicted" if row["high"] < 0 else "inconclusive"
    assert row["verdict"] == expected


def test_one_split_decides_nothing():
    scores = tables(baseline=[0.1] * 5, asformer_authors_features=[0.9] * 5)
    found = check("3_conclusion", tables={name: table.loc[[1]] for name, table in scores.items()})
    assert set(found["verdict"]) == {"inconclusive"} and found["low"].isna().all()
    assert not found["claim"].str.contains("VideoCLIP").any(), "what is not there is not judged"


def test_recipes_of_one_pretraining_a_side_stay_inconclusive():
    scores = tables(videoclip_public_zero_shot=[0.9, 0.8, 0.9, 0.9, 0.8], videoclip_own_zero_shot=[0.1] * 5)
    row = checked_claim("3_conclusion", "public zero-shot beats own zero-shot", tables=scores)
    assert row["low"] > 0
    assert row["verdict"] == "inconclusive" and "one training per side" in row["over"]


@pytest.mark.parametrize(("own", "expected"), [([0.5, 0.52, 0.51], "supported"), ([0.5, 0.95, 0.8], "inconclusive")])
def test_recipes_are_judged_over_repeated_trainings(own, expected):
    """Splits that agree say nothing of the luck of a pre-training."""
    public = [0.8, 0.82, 0.79]
    values = {"videoclip_public_zero_shot": public, "videoclip_own_zero_shot": own}
    repeats = {name: pd.DataFrame({"accuracy": seeds}) for name, seeds in values.items()}
    scores = tables(**{name: [np.mean(seeds)] * 5 for name, seeds in values.items()})
    row = checked_claim("3_conclusion", "public zero-shot beats own zero-shot", tables=scores, repeats=repeats)
    assert row["verdict"] == expected and row["over"] == "3 trainings per side"
    assert row["here"] == pytest.approx(np.mean(public) - np.mean(own))
    assert bool(row["would decide"]) == (expected == "inconclusive")


def test_the_thesis_column_is_the_thesis_s_tables():
    scores = {name: published_table(number) for name, number in METHOD_TABLES.items() if number > 5}
    found = check("2_9_2_finetune_public", tables=scores).set_index("claim")
    np.testing.assert_allclose(found["thesis"], found["here"], err_msg="given the thesis's tables, here is the thesis")
    assert found.loc["15 epochs add nothing to the mean accuracy", "verdict"] == "inconclusive", "no proof of equality"
    row = found.loc["nothing is gained after epoch 9: no later one is the best but on split 1"]
    assert row["each"] == "9.00, 9.00, 8.00, 9.00" and row["verdict"] == "supported"


ON_TWO_SPLITS = "own weights, zero-shot: cut_cucumber is confused with action_end on splits 4 and 5 only"


@pytest.mark.parametrize("where", [(4, 5), (1, 2, 3, 4, 5), (4,), (1, 2, 3), ()])
def test_a_claim_that_names_splits_must_hold_on_those_and_no_other(where):
    own = matrices(cut_cucumber__action_end=dict.fromkeys(where, 0.3))
    found = verdicts(check("2_8_3_error_analysis", matrices={"videoclip_own_zero_shot": own}))
    assert found[ON_TWO_SPLITS] == ("supported" if where == (4, 5) else "contradicted")


def test_a_named_split_with_a_share_near_the_threshold_is_inconclusive():
    """A tenth of one video's seconds and none of another's: other videos could have been below the threshold."""
    own = matrices(cut_cucumber__action_end={4: 0.3, 5: 0.12})
    for video in list(own[5])[:5]:
        own[5][video].loc[CUT, [CUT, "action_end"]] = [100, 0]
    own[5]["v9"].loc[CUT, [CUT, "action_end"]] = [20, 80]
    found = verdicts(check("2_8_3_error_analysis", matrices={"videoclip_own_zero_shot": own}))
    assert found[ON_TWO_SPLITS] == "inconclusive"


def test_claims_on_matrices_turn_with_them():
    high = {1: 0.30, 2: 0.31, 3: 0.33, 4: 0.29, 5: 0.3}
    low = {split: share / 10 for split, share in high.items()}
    both = {
        "videoclip_own_zero_shot": matrices(add_oil__add_vinegar=high, cut_cucumber__cut_cheese=high),
        "videoclip_public_zero_shot": matrices(add_oil__add_vinegar=high, cut_cucumber__cut_cheese=low),
    }
    found = verdicts(check("2_8_3_error_analysis", matrices=both))
    assert found["own weights, zero-shot: add_vinegar is confused with add_oil"] == "supported"
    assert found["public weights, zero-shot: cut_cucumber is confused with cut_cheese"] == "contradicted"
    assert found["public weights: cut_cucumber and cut_cheese are less confused"] == "supported"
    assert found["public weights: add_vinegar and add_oil are confused as often"] == "inconclusive"
    assert found["own weights: no class misses more seconds than cut_cucumber"] == "inconclusive"
    other = {1: {"v": pd.DataFrame([[1]], ["cut"], ["cut"])}}
    with pytest.raises(ValueError, match="the data set has no class 'cut_cucumber'"):
        check("2_8_3_error_analysis", matrices={"videoclip_own_zero_shot": other})


def test_a_split_set_apart_is_compared_with_what_the_others_let_expect():
    def history(first):
        rows = [(split, epoch, first if split == 1 else 90 + split) for split in SPLITS for epoch in (1, 2)]
        return pd.DataFrame(rows, columns=["split", "epoch", "train_accuracy"])

    for first, expected in ((60, "supported"), (93.5, "inconclusive"), (120, "contradicted")):
        found = check("2_3_1_public_features", histories={"asformer_public": history(first)})
        assert found["verdict"].tolist() == [expected]


def test_always_has_no_exception():
    for surplus, expected in (([0, 0, 0], "supported"), ([0, 0, 1], "contradicted")):
        found = check("2_3_2_feature_extraction", values={"surplus": pd.Series(surplus)})
        assert found["verdict"].tolist() == [expected]


def test_stages_and_curves_of_runs():
    epochs = np.arange(1, 9)
    rows = {"train_accuracy_stage_1": 80 - 60 / epochs, "train_accuracy_stage_2": 85 - 80 / epochs}
    parts = [pd.DataFrame(rows | {"split": split, "epoch": epochs}) for split in SPLITS]
    history = pd.concat([part + 0.1 * (part["split"].iloc[0] if n else 0) for n, part in enumerate(parts)])
    history["split"] = np.repeat(SPLITS, 8)
    history["epoch"] = np.tile(epochs, 5)
    history["train_accuracy_stage_2"] += np.repeat(np.arange(5) / 10, 8)
    found = verdicts(check("2_3_3_baseline", histories={"asformer_own": history}))
    assert set(found.values()) == {"supported"} and len(found) == 2
    smooth = pd.DataFrame({"seed": 0, "update": range(9), "random_loss": np.arange(9.0)})
    zigzag = smooth.assign(random_loss=[9.0, *[1.0, -1.0] * 4])
    assert roughness(smooth, "random_loss")[0] == 0
    assert roughness(zigzag, "random_loss")[0] == pytest.approx(4 / np.sqrt(6))
    runs = {
        "C = 1": pd.concat([zigzag.assign(seed=seed) * (1 + 0.1 * seed) for seed in range(3)]),
        "C = 7": pd.concat([smooth.assign(seed=seed) for seed in range(3)]),
    }
    runs["C = 1"]["seed"] = np.repeat(range(3), 9)
    claim = "with seven clusters per update the validation loss is smoother than with one"
    runs = {name: part.assign(train_loss=part["random_loss"], zero_shot=5.0) for name, part in runs.items()}
    assert verdicts(check("2_6_pretrain_many_clusters", runs=runs))[claim] == "supported"


def test_one_table_and_one_tally_of_all_claims(tmp_path):
    out = Outputs(str(tmp_path))
    out.tables.mkdir(parents=True)
    scores = tables(baseline=[0.5, 0.6, 0.5, 0.4, 0.5], videoclip_own_15_epochs=[0.7, 0.9, 0.7, 0.6, 0.7])
    given = {"3_conclusion": {"tables": scores}, "2_3_2_feature_extraction": {"values": {"surplus": pd.Series([0, 0])}}}
    for chapter, found in given.items():
        check(chapter, **found).to_csv(out.tables / f"claims_{chapter}.csv", index=False)
    audit = {"claim": "c", "where": "2.3.3", "difference": 0.1, "low": 0, "high": 0.2, "verdict": "inconclusive"}
    pd.DataFrame([audit]).to_csv(out.tables / "audit_claims.csv", index=False)
    found = all_claims(out, "Kitchen")
    assert found["section"].tolist() == ["2.3.2", "2.3.3", "2.9.1", "3", "3"]
    assert found["evidence"].tolist() == ["Kitchen", THEIRS, *["Kitchen"] * 3]
    assert tally(found["verdict"][:3]) == "2 supported, 0 contradicted, 1 inconclusive"
    page = shown_claims(found, ["evidence"]).to_html()
    assert "nan" not in page and "0.10 [0.00, 0.20]" in page
    assert claims.tally(pd.Series(dtype=str)) == "0 supported, 0 contradicted, 0 inconclusive"
