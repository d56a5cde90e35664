"""Predictions in the text form of MS-TCN and ASFormer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.data.dataset import open_dataset, write_data_set
from lib.data.predictions import (
    HEADING,
    HEADING_OF_LINES,
    PredictionError,
    prediction_pairs,
    read_prediction,
    write_prediction,
)

word = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=8).filter(lambda w: w.split() == [w])
name = st.lists(word, min_size=1, max_size=3).map(" ".join)


@given(names=st.lists(word, min_size=1, max_size=20) | st.lists(name, min_size=1, max_size=20))
def test_what_is_written_is_read(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("predictions") / "rgb-01-1.txt"
    write_prediction(path, names)
    assert read_prediction(path) == names
    asformers = f"{HEADING}\n{' '.join(names)}"
    assert (path.read_text(encoding="utf-8") == asformers) == all(" " not in name for name in names)


def test_real_files_are_written_back_byte_for_byte(shared, tmp_path):
    for file in sorted((shared / "data" / "50salads_predictions").glob("*.txt")):
        write_prediction(tmp_path / file.name, read_prediction(file))
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


@pytest.fixture
def dataset(tmp_path):
    write_data_set(tmp_path, ["cut", "mix"], {"a": [0, 1, 1], "b": [1]}, {1: ["b"]})
    return open_dataset(tmp_path, None, fps=30)


def test_files_named_as_asformer_names_them(dataset, tmp_path):
    (tmp_path / "a").write_text(f"{HEADING}\ncut cut mix cut")
    assert prediction_pairs(tmp_path, dataset, ["a"]) == {"a": (["cut", "cut", "mix", "cut"], ["cut", "mix", "mix"])}


def test_a_prediction_is_as_long_as_the_labels_up_to_the_step_of_its_program(dataset, tmp_path):
    for frames in range(1, 9):
        (tmp_path / "a.txt").write_text(f"{HEADING}\n{' '.join(['cut'] * frames)}")
        for step in (1, 2, 4):
            if 3 <= frames < 3 + step:
                assert len(prediction_pairs(tmp_path, dataset, ["a"], step)["a"][0]) == frames
            else:
                with pytest.raises(PredictionError, match=f"a.txt: {frames} frames, the ground truth has 3"):
                    prediction_pairs(tmp_path, dataset, ["a"], step)


def test_names_of_several_words_in_asformers_form(dataset, tmp_path):
    (tmp_path / "mapping.txt").write_text("0 cut\n1 mix\n2 cut tomato\n")
    (tmp_path / "a.txt").write_text(f"{HEADING}\ncut tomato mix")
    dataset = open_dataset(tmp_path, None, fps=30)
    with pytest.raises(PredictionError, match=f"'tomato' is not in .*a line per frame below '{HEADING_OF_LINES}'"):
        prediction_pairs(tmp_path, dataset, ["a"])
    write_prediction(tmp_path / "a.txt", ["cut tomato", "mix", "mix"])
    assert prediction_pairs(tmp_path, dataset, ["a"])["a"][0] == ["cut tomato", "mix", "mix"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADING}\ncut mix", "a.txt: 2 frames, the ground truth has 3; predict one label per frame"),
        (f"{HEADING}\ncut mix serve", r"a.txt: class 'serve' is not in .*mapping.txt"),
        (f"{HEADING}\n\n", "a.txt: expected one line of class names below the heading, found 1"),
        (f"{HEADING}\ncut\nmix\nmix", "expected one line of class names below the heading, found 3"),
        (HEADING, "expected one line of class names below the heading, found 0"),
        ("cut mix mix", "a.txt: the first line must be '### Frame level recognition: ###', found 'cut mix mix'"),
        ("", "a.txt: empty"),
        (HEADING_OF_LINES, "expected a class name on each line below the heading"),
        (f"{HEADING_OF_LINES}\ncut\n\nmix", "expected a class name on each line below the heading"),
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
    [([], "no frames to write"), (["a  b"], "'a  b'"), (["cut", "a\nb"], "single blanks"), (["cut", ""], "found ''")],
)
def test_what_the_form_cannot_hold_is_refused(tmp_path, names, message):
    with pytest.raises(PredictionError, match=message):
        write_prediction(tmp_path / "a.txt", names)
    assert not list(tmp_path.iterdir())
