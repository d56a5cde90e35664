"""The conclusion: verdicts, Table 10 and claims on constructed numbers, windows by position on constructed scores."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_data import CLASSES, SIZE, class_names, make_target, tiny_videoclip

from lib.notebook.figures import branch_table, draw_branch
from lib.scoring.conclusion import best_against_baseline, check_claims, chosen_videos, judge, methods, table_ten
from lib.scoring.metrics import METRICS
from lib.scoring.published import published_table
from lib.scoring.seconds import SECONDS
from lib.videoclip.windows import Trace, by_position, merged_accuracy, trace
from lib.videoclip.zero_shot import second_scores

COLUMNS = ["section", "method", "split", "video", "protocol", "metric", "value"]


def long(values: dict[tuple[str, str], list[float]], protocol: str = "mstcn") -> pd.DataFrame:
    """(method, metric) -> a value a split."""
    rows = [
        ("3", method, split, "all", protocol, metric, value)
        for (method, metric), each in values.items()
        for split, value in enumerate(each, 1)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_one_difference_is_inconclusive():
    mean, half, verdict = judge([0.4], "higher")
    assert mean == 0.4 and np.isnan(half) and verdict == "inconclusive"


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9), st.sampled_from([("higher", "lower"), ("lower", "higher")]))
def test_a_verdict_turns_with_the_claim(differences, signs):
    (mean, half, verdict), (_, _, other) = (judge(differences, claimed) for claimed in signs)
    if verdict == "inconclusive":
        assert other == verdict and abs(mean) <= half
    else:
        assert {verdict, other} == {"supported", "contradicted"} and abs(mean) > half
        assert (verdict == "supported") == ((mean > 0) == (signs[0] == "higher"))


def test_claims_follow_the_numbers():
    base = [50.0, 52.0, 51.0, 49.0, 50.0]
    table = long(
        {
            ("baseline", "accuracy"): base,
            ("baseline", "f1@50"): base,
            ("asformer_authors_features", "accuracy"): [value + 10 for value in base],
            ("asformer_authors_features", "f1@50"): base,
            ("videoclip_own_8_epochs", "accuracy"): [40.0, 60.0, 41.0, 59.0, 50.0],
            ("videoclip_own_8_epochs", "f1@50"): base,
            ("videoclip_own_15_epochs", "accuracy"): [value + 0.1 * n for n, value in enumerate(base)],
            ("videoclip_own_15_epochs", "f1@50"): [value - 30 - n for n, value in enumerate(base)],
            ("videoclip_own_zero_shot", "accuracy"): [20.0, 21.0, 20.0, 22.0, 20.0],
            ("videoclip_own_zero_shot", "f1@50"): [1.0] * 5,
        }
    )
    found = check_claims(table, "mstcn").set_index("claim")
    assert found.loc["Own I3D features lose to the authors'", "verdict"] == "supported"
    assert found.loc["Own I3D features lose to the authors'", "here"] == pytest.approx(-0.1)
    assert found.loc["Own I3D features lose to the authors'", "thesis"] == pytest.approx(0.793 - 0.854)
    assert found.loc["Fine-tuning beats zero-shot (own weights)", "verdict"] == "supported"
    assert found.loc["More epochs help own weights", "verdict"] == "inconclusive"
    assert found.loc["VideoCLIP over-segments: F1 falls behind accuracy (own weights)", "verdict"] == "supported"
    assert not [claim for claim in found.index if "ublic" in claim], "what is not there is not judged"


@pytest.mark.parametrize(
    ("gain", "verdict"), [(0.1, "supported"), (5.0, "contradicted"), (2.0, "inconclusive"), (-5.0, "supported")]
)
def test_more_epochs_are_judged_against_what_they_add_to_own_weights(gain, verdict):
    """Own weights gain 2 points in each split, give or take a little; public ones `gain`."""
    short, noise = [50.0, 52.0, 51.0, 53.0, 50.0], [0.2, -0.2, 0.1, -0.1, 0.0]
    rows = {
        ("videoclip_own_8_epochs", "accuracy"): short,
        ("videoclip_own_15_epochs", "accuracy"): [a + 2 + b for a, b in zip(short, noise, strict=True)],
        ("videoclip_public_8_epochs", "accuracy"): short,
        ("videoclip_public_15_epochs", "accuracy"): [value + gain for value in short],
    }
    row = (
        check_claims(long(rows), "mstcn")
        .set_index("claim")
        .loc["More epochs add less to public weights than to own weights"]
    )
    assert row["verdict"] == verdict
    assert row["here"] == pytest.approx((gain - 2) / 100)
    assert row["thesis"] == pytest.approx((0.816 - 0.810) - (0.811 - 0.799))


def test_trimming_is_judged_over_the_videos_of_split_1():
    rows = []
    for trim, accuracy in {"start": 40, "both_ends": 45, "end": 44}.items():
        for video in range(10):
            rows.append(("3", f"trim_{trim}", 1, f"v{video}", "mstcn", "accuracy", accuracy + 0.01 * video))
        rows.append(("3", f"trim_{trim}", 1, "all", "mstcn", "accuracy", accuracy))
    rows = [(*row[:5], metric, row[6]) for row in rows for metric in ("accuracy", "f1@50")]
    found = check_claims(pd.DataFrame(rows, columns=COLUMNS), "mstcn")
    assert found["verdict"].tolist() == ["contradicted"] and found["here"].iloc[0] == pytest.approx(-0.01)


def test_table_ten_scores_each_method_as_the_thesis_did():
    values = {("baseline", metric): [50.0, 60.0] for metric in METRICS}
    values |= {("videoclip_own_8_epochs", metric): [40.0, 42.0] for metric in METRICS}
    seconds = long({("videoclip_own_8_epochs", "accuracy"): [44.0, 46.0]}, SECONDS)
    table = table_ten(pd.concat([long(values), seconds]), "mstcn")
    assert table.index.tolist() == published_table(10).index.tolist(), "all nine rows, in the thesis's order"
    assert table.loc["baseline", "as_thesis"] == pytest.approx(0.55)
    assert table.loc["videoclip_own_8_epochs", "as_thesis"] == pytest.approx(0.45)
    assert table.loc["videoclip_own_8_epochs", "accuracy"] == pytest.approx(0.41)
    assert table.loc["videoclip_own_8_epochs", "edit"] == pytest.approx(41)
    assert table.loc["asformer_paper"].drop("thesis").isna().all(), "published only"
    assert set(methods((8, 15))) | {"asformer_paper"} == set(table.index)


def test_worst_middle_and_best_video():
    rows = [("3", "baseline", 1 + n // 2, f"v{n}", "mstcn", "accuracy", float(n)) for n in range(5)]
    judge, found = chosen_videos(pd.DataFrame(rows, columns=COLUMNS), "mstcn")
    assert judge == "baseline" and found == {"worst": ("v0", 1), "middle": ("v2", 2), "best": ("v4", 3)}
    rows = [("3", "videoclip_public_zero_shot", *row[2:]) for row in rows]
    judge, found = chosen_videos(pd.DataFrame(rows, columns=COLUMNS), "mstcn")
    assert judge == "videoclip_public_zero_shot" and found["best"] == ("v4", 3)


def test_one_method_alone_makes_a_table():
    values = {("videoclip_public_zero_shot", metric): [10.0, 12.0] for metric in METRICS}
    seconds = long({("videoclip_public_zero_shot", "accuracy"): [11.0, 13.0]}, SECONDS)
    metrics = pd.concat([long(values), seconds])
    table = table_ten(metrics, "mstcn").assign(segments=1.0)
    assert len(table) == 9 and table["accuracy"].notna().sum() == 1
    assert best_against_baseline(table) == "" and check_claims(metrics, "mstcn").empty


def test_accuracy_by_the_place_in_the_window():
    """Two windows of four seconds over six: right in the middle, wrong at the ends; padding does not count."""
    truth = np.array([0, 1, 0, 1, 0, 1])
    scores = np.zeros((2, 4, 2))
    for window, start in enumerate((0, 3)):
        for place in range(4):
            second = min(start + place, 5)
            wrong = place in (0, 3)
            scores[window, place, truth[second] ^ wrong] = 1
    inside = np.array([[True] * 4, [True, True, True, False]])
    one = Trace("v", [0, 3], inside, scores, np.eye(2)[truth], truth)
    found = by_position([one])
    assert found["accuracy"].tolist() == [0, 100, 100, 0] and found["seconds"].tolist() == [2, 2, 2, 1]
    assert merged_accuracy([one]) == 100


def test_a_trace_is_what_zero_shot_computes(tmp_path):
    target, model = make_target(tmp_path / "set"), tiny_videoclip()
    vectors = model.encode_text(*vars(class_names()).values()).detach()
    one = trace(target, "rgb-01-1", model, vectors, 4, cls_visible=True)
    expected = second_scores(model, target.features("rgb-01-1", 12), vectors, 4, True)
    np.testing.assert_allclose(one.merged, expected, atol=1e-6)
    table = branch_table(one, CLASSES)
    assert table["windows"].iloc[0] == 1 and table["windows"].max() == 2 and len(table) == len(one.truth)
    figure = draw_branch(one, CLASSES)
    labels = [text.get_text() for text in figure.axes[2].get_yticklabels()]
    assert labels == list(CLASSES)
