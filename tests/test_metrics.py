"""Metrics: golden values of the official code, figures of real predictions, an independent reference, properties."""

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.data.dataset import open_dataset
from lib.data.predictions import prediction_pairs
from lib.scoring.labels import LabelError, levenshtein
from lib.scoring.metrics import METRICS, metric_table, score

GOLDEN = json.loads((Path(__file__).parent / "golden" / "metrics.json").read_text())


def expand(runs):
    return [label for label, frames in runs for _ in range(frames)]


def golden_pair(entry):
    return expand(entry["pred"]), expand(entry["gt"])


def golden_values(entry):
    return dict(zip(METRICS, (entry["acc"], entry["edit"], *entry["f1"]), strict=True))


# --- golden values: the official functions of ASFormer and MS-TCN


@pytest.mark.parametrize("convention", ["mstcn", "asformer"])
@pytest.mark.parametrize("entry", GOLDEN["pairs"], ids=lambda entry: entry["name"])
def test_official_values_of_one_video(entry, convention):
    if "error" in entry[convention]:  # the official code runs past the end of a prediction that is too short
        with pytest.raises(LabelError, match="139 predicted frames for 140"):
            score([golden_pair(entry)], convention, ["background"])
    else:
        found = score([golden_pair(entry)], convention, ["background"])
        assert found == pytest.approx(golden_values(entry[convention]), abs=1e-9)


@pytest.mark.parametrize("convention", ["mstcn", "asformer"])
@pytest.mark.parametrize("group", ["pooled_scorable", "pooled_random_only"])
def test_official_values_pooled(group, convention):
    pairs = [golden_pair(GOLDEN["pairs"][i]) for i in GOLDEN[group]["indices"]]
    assert score(pairs, convention, ["background"]) == pytest.approx(golden_values(GOLDEN[group][convention]), abs=1e-9)


# --- real predictions, figures of shared/data/README.md


def test_real_mstcn_predictions(shared):
    dataset = open_dataset(shared / "data" / "50salads", None, fps=30)
    pairs = prediction_pairs(shared / "data" / "50salads_predictions", dataset, dataset.split(1)[1])
    for convention in ("mstcn", "asformer"):
        found = score(pairs.values(), convention)
        assert [round(value, 2) for value in found.values()] == [77.45, 67.00, 73.18, 71.10, 63.62]


def test_svm_under_lea(shared):
    dataset = open_dataset(shared / "data" / "50salads_scores", ".", fps=1)
    pairs = [(dataset.feature(video).argmax(axis=0), dataset.labels(video)) for video in dataset.videos]
    found = score(pairs, "lea", ignore=[0])
    assert [round(value, 1) for value in found.values()] == [54.9, 21.4, 28.7, 22.7, 15.4]
    named = [[[dataset.classes[label] for label in side] for side in pair] for pair in pairs]
    assert score(named, "lea") == pytest.approx(found), "names and numbers score alike, and background needs no telling"


# --- an independent reference, written from the definitions with loops


def reference_runs(labels, ignore, short_end):
    runs, start = [], 0
    for label, frames in groupby(labels):
        end = start + len(list(frames))
        runs.append((label, start, end - 1 if short_end and end == len(labels) else end))
        start = end
    return [run for run in runs if run[0] not in ignore]


def reference_levenshtein(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def reference_hits(predicted, true, threshold):
    hit = set()
    for label, start, end in predicted:
        best, best_iou = None, 0.0
        for number, (true_label, true_start, true_end) in enumerate(true):
            common = min(end, true_end) - max(start, true_start)
            if label == true_label and common > 0:
                iou = common / (max(end, true_end) - min(start, true_start))
                if iou > best_iou:
                    best, best_iou = number, iou
        if best_iou >= threshold:
            hit.add(best)
    return len(hit)


def reference_score(pairs, convention, ignore=()):
    """The five metrics in percent; `lea` averages the scores of single videos."""
    if convention == "lea":
        each = [reference_score([pair], "mstcn", [*ignore, "background"]) for pair in pairs]
        return {metric: sum(one[metric] for one in each) / len(each) for metric in METRICS}
    correct = frames = 0
    edits, counts = [], {0.10: [0, 0, 0], 0.25: [0, 0, 0], 0.50: [0, 0, 0]}
    for prediction, truth in pairs:
        correct += sum(p == t for p, t in zip(prediction, truth, strict=False))
        frames += len(truth)
        predicted, true = (reference_runs(labels, ignore, convention == "asformer") for labels in (prediction, truth))
        distance = reference_levenshtein([run[0] for run in predicted], [run[0] for run in true])
        edits.append(100 * (1 - distance / max(len(predicted), len(true))) if predicted or true else 100)
        for threshold, total in counts.items():
            hits = reference_hits(predicted, true, threshold)
            total[0] += hits
            total[1] += len(predicted)
            total[2] += len(true)
    f1 = [200 * hits / (ours + theirs) if hits else 0 for hits, ours, theirs in counts.values()]
    return dict(zip(METRICS, (100 * correct / frames, sum(edits) / len(edits), *f1), strict=True))


runs = st.lists(
    st.tuples(st.sampled_from(["background", "cut", "mix", "pour"]), st.integers(1, 9)), min_size=1, max_size=12
)


@st.composite
def videos(draw):
    """Pairs (prediction, truth); predictions as long as the truth or up to two frames longer."""
    pairs = []
    for _ in range(draw(st.integers(1, 3))):
        prediction, truth = expand(draw(runs)), expand(draw(runs))
        longer = draw(st.integers(0, 2))
        pairs.append(((prediction * len(truth))[: len(truth) + longer], truth))
    return pairs


conventions = st.sampled_from(["mstcn", "asformer", "lea"])
ignores = st.sampled_from([(), ("background",), ("cut", "mix")])


@given(videos(), conventions, ignores)
def test_equals_the_reference(pairs, convention, ignore):
    assert score(pairs, convention, ignore) == pytest.approx(reference_score(pairs, convention, ignore), abs=1e-9)


def test_of_equal_matches_the_earlier_counts():
    truth = ["cut"] * 6 + ["mix"] + ["cut"] * 6
    # its second `cut` meets both true ones with IoU 3/10
    prediction = ["cut"] * 2 + ["mix"] + ["cut"] * 7 + ["mix"] * 3
    found = score([(prediction, truth)])
    assert found == pytest.approx(reference_score([(prediction, truth)], "mstcn"))
    assert found["f1@25"] == pytest.approx(100 * 2 / 7), "the earlier one, which the first predicted segment has taken"


# --- properties


@given(videos(), conventions)
def test_names_do_not_matter(pairs, convention):
    number = {"background": 0, "cut": -1, "mix": -2, "pour": 7}
    numbered = [([number[p] for p in prediction], np.array([number[t] for t in truth])) for prediction, truth in pairs]
    ignored = [0] if convention == "lea" else []
    assert score(numbered, convention, ignored) == score(pairs, convention)


@given(st.lists(st.integers(-3, 3), max_size=12), st.lists(st.integers(-3, 3), max_size=12))
def test_levenshtein_equals_the_textbook(a, b):
    assert levenshtein(a, b) == reference_levenshtein(a, b)


# --- edges and errors


@pytest.mark.parametrize("convention", ["mstcn", "asformer", "lea"])
def test_videos_of_ignored_classes_only(convention):
    silent, busy = ["background"] * 4, ["cut"] * 4
    assert score([(silent, silent)], convention, ["background"]) == dict(zip(METRICS, (100, 100, 0, 0, 0), strict=True))
    assert score([(busy, silent)], convention, ["background"]) == dict.fromkeys(METRICS, 0)
    assert score([(silent, busy)], convention, ["background"]) == dict.fromkeys(METRICS, 0)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "no videos"),
        ([(["cut"], ["cut"]), ([], ["cut"])], "pair 2, prediction: no frames"),
        ([(["cut"], [])], "pair 1, ground truth: no frames"),
        ([(["cut"], ["cut", "mix"])], "pair 1: 1 predicted frames for 2"),
        ([([1], ["cut"])], "names on one side and numbers on the other"),
        ([([0.5], [1])], "float64"),
        ([([[1, 2]], [[1, 2]])], "shape"),
    ],
)
def test_what_cannot_be_scored_is_refused(pairs, message):
    with pytest.raises(LabelError, match=message):
        score(pairs)


def test_unknown_convention_is_refused():
    with pytest.raises(ValueError, match="convention 'MSTCN': choose one of mstcn, asformer, lea"):
        score([(["cut"], ["cut"])], "MSTCN")


def test_a_pandas_column_of_names_is_a_sequence_of_labels():
    column = pd.Series(["cut", "cut", "mix"])
    assert score([(column, column.to_numpy())])["f1@50"] == 100


# --- the long table


def test_long_table():
    pairs = {"rgb-01-1": (["cut", "mix"], ["cut", "cut"]), "rgb-01-2": (["mix"] * 4, ["mix"] * 4)}
    table = metric_table(pairs, "lea")
    assert tuple(table.columns) == ("video", "metric", "value") and len(table) == 3 * 5
    values = table.pivot(index="video", columns="metric", values="value")
    assert values.loc["all"].to_dict() == pytest.approx(score(pairs.values(), "lea"))
    assert values.loc["rgb-01-1"].to_dict() == pytest.approx(score([pairs["rgb-01-1"]], "lea"))


def test_long_table_names_the_video_at_fault():
    with pytest.raises(LabelError, match="rgb-01-2: 1 predicted"):
        metric_table({"rgb-01-2": (["cut"], ["cut", "cut"])})
