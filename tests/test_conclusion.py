"""The conclusion: Table 10 on constructed numbers, windows by position on constructed scores."""

import numpy as np
import pandas as pd
import pytest
from target_data import CLASSES, class_names, make_target, target_videoclip

from lib.notebook.figures import branch_table, draw_branch
from lib.scoring.conclusion import best_against_baseline, chosen_videos, methods, table_ten
from lib.scoring.metrics import METRICS
from lib.scoring.published import published_table
from lib.scoring.seconds import SECONDS
from lib.videoclip.windows import Trace, by_position, merged_accuracy, trace
from lib.videoclip.zero_shot import second_scores

COLUMNS = ["section", "method", "split", "video", "protocol", "metric", "value"]


def long(values: dict[tuple[str, str], list[float]], protocol: str = "mstcn") -> pd.DataFrame:
    """(method, metric) -> one value per split."""
    rows = [
        ("3", method, split, "all", protocol, metric, value)
        for (method, metric), each in values.items()
        for split, value in enumerate(each, 1)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


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
    assert best_against_baseline(table) == ""


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
    target, model = make_target(tmp_path / "set"), target_videoclip()
    vectors = model.encode_text(*vars(class_names()).values()).detach()
    one = trace(target, "rgb-01-1", model, vectors, 4, cls_visible=True)
    expected = second_scores(model, target.features("rgb-01-1", 12), vectors, 4, True)
    np.testing.assert_allclose(one.merged, expected, atol=1e-6)
    table = branch_table(one, CLASSES)
    assert table["windows"].iloc[0] == 1 and table["windows"].max() == 2 and len(table) == len(one.truth)
    figure = draw_branch(one, CLASSES)
    labels = [text.get_text() for text in figure.axes[2].get_yticklabels()]
    assert labels == list(CLASSES)
