"""Predictions in the text form of MS-TCN and ASFormer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.data.dataset import open_dataset
from lib.data.predictions import HEADING, PredictionError, prediction_pairs, read_prediction, write_prediction

words = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=8).filter(lambda w: w.split() == [w])


@given(names=st.lists(words, min_size=1, max_size=20))
def test_what_is_written_is_read(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("predictions") / "rgb-01-1.txt"
    write_prediction(path, names)
    assert read_prediction(path) == names


def test_real_files_are_written_back_byte_for_byte(shared, tmp_path):
    for file in sorted((shared / "data" / "50salads_predictions").glob("*.txt")):
        write_prediction(tmp_path / file.name, read_prediction(file))
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_real_pairs(shared):
    dataset = open_dataset(shared / "data" / "50salads", None, fps=30)
    test = dataset.split(1)[1]
    pairs = prediction_pairs(shared / "data" / "50salads_predictions", dataset, test)
    assert tuple(pairs) == test
    surplus = {len(prediction) - len(truth) for prediction, truth in pairs.values()}
    assert surplus == {0, 1}


@pytest.fixture
def dataset(tmp_path):
    for name, text in {
        "mapping.txt": "0 cut\n1 mix\n",
        "groundTruth/a.txt": "cut\nmix\nmix\n",
        "groundTruth/b.txt": "mix\n",
        "splits/train.split1.bundle": "a.txt\n",
        "splits/test.split1.bundle": "b.txt\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return open_dataset(tmp_path, None, fps=30)


def test_files_named_as_asformer_names_them(dataset, tmp_path):
    (tmp_path / "a").write_text(f"{HEADING}\ncut cut mix cut")
    assert prediction_pairs(tmp_path, dataset, ["a"]) == {"a": (["cut", "cut", "mix", "cut"], ["cut", "mix", "mix"])}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADING}\ncut mix", "a.txt: 2 frames, the ground truth has 3; predict all"),
        (f"{HEADING}\ncut mix serve", r"a.txt: class 'serve' is not in .*mapping.txt"),
        (f"{HEADING}\n\n", "a.txt: expected one line of class names below the heading, found 1"),
        (f"{HEADING}\ncut\nmix\nmix", "expected one line of class names below the heading, found 3"),
        (HEADING, "expected one line of class names below the heading, found 0"),
        ("cut mix mix", "a.txt: the first line must be '### Frame level recognition: ###', found 'cut mix mix'"),
        ("", "the first line must be"),
    ],
)
def test_files_that_cannot_be_used(dataset, tmp_path, text, message):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(PredictionError, match=message):
        prediction_pairs(tmp_path, dataset, ["a"])


def test_missing_file(dataset, tmp_path):
    with pytest.raises(PredictionError, match=r"a.txt: cannot be read .*No such file"):
        prediction_pairs(tmp_path, dataset, ["a"])


@pytest.mark.parametrize(
    ("names", "message"),
    [([], "no frames to write"), (["cut", "cut tomato"], "'cut tomato'"), (["cut", ""], "one word")],
)
def test_what_the_form_cannot_hold_is_refused(tmp_path, names, message):
    with pytest.raises(PredictionError, match=message):
        write_prediction(tmp_path / "a.txt", names)
    assert not list(tmp_path.iterdir())
