"""Words of S3D's text side: numbered as by the published code (tests/golden); dictionaries that are none."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_weights import GOLDEN
from hypothesis import given
from hypothesis import strategies as st

from lib.backbones.s3d import Words, piece_vectors, read_dictionary, words_of
from lib.core.checkpoints import WeightsError


def test_numbers_are_the_published_codes():
    golden = json.loads((GOLDEN / "s3dg_tokens.json").read_text())
    numbers = Words(golden["words"]).numbers(golden["sentences"])
    assert numbers.dtype == torch.int64
    assert numbers.tolist() == golden["ids"]


SPOKEN = st.lists(st.from_regex(r"[a-z0-9']{1,3}", fullmatch=True), max_size=12)


@given(spoken=SPOKEN, known=SPOKEN, marks=st.sampled_from([" ", ", ", " – ", "... "]), longest=st.integers(1, 8))
def test_known_words_stand_in_the_order_of_speech(spoken, known, marks, longest):
    words = words_of(known)
    assert words.words == tuple(sorted(set(known)))
    expected = [words.words.index(word) + 1 for word in spoken if word in known][:longest]
    row = words.numbers([marks.join(spoken).upper()], longest)[0].tolist()
    assert row == expected + [0] * (longest - len(expected))


def test_a_dictionary_is_read(tmp_path):
    path = tmp_path / "s3d_dict.npy"
    np.save(path, np.array(["slice", "the", "élan", "the"]))
    words = read_dictionary(path)
    assert words.words == ("slice", "the", "élan", "the") and len(words) == 4
    assert words.numbers(["Élan, slice the!"], 4).tolist() == [[3, 1, 4, 0]]  # the later row of a word counts


def test_a_words_vector_is_the_scaled_mean_of_its_pieces():
    pieces = torch.tensor([[0.0, 0], [1, 10], [3, 20], [5, 90]])
    spelled = {"apple": [1], "slices": [2, 3]}
    table = piece_vectors(Words(spelled), pieces, lambda words: [spelled[word] for word in words])
    means = torch.tensor([[0.0, 0], [1, 10], [4, 55]])
    torch.testing.assert_close(table, means / means[1:].std())


def no_words(content):
    return lambda path: np.save(path, content, allow_pickle=True)


def cut_off(path):
    np.save(path, np.array(["slice", "apple"] * 100))
    path.write_bytes(path.read_bytes()[:500])


def archive(path):
    with path.open("wb") as file:
        np.savez(file, a=np.array(["a"]))


@pytest.mark.parametrize(
    "write",
    [
        no_words(np.arange(3)), no_words(np.array("abc")), no_words(np.array([["a"], ["b"]])), no_words(np.array([])),
        no_words(np.array([{"slice": 1}])), cut_off, Path.mkdir, Path.touch,
        lambda path: path.write_bytes(b"<html>404</html>"), archive,
    ],
    ids=["numbers", "one word", "a table", "nothing", "objects", "cut off", "a folder", "empty", "a page", "zip"],
)  # fmt: skip
def test_what_is_no_dictionary(tmp_path, write):
    write(path := tmp_path / "dict.npy")
    with pytest.raises(WeightsError, match=r"^\S+/dict.npy: not an array of words[^\n]*; download it again\Z"):
        read_dictionary(path)


def test_a_dictionary_that_is_missing(tmp_path):
    with pytest.raises(WeightsError, match=r"s3d_dict.npy: S3D's dictionary is missing; it is published beside"):
        read_dictionary(tmp_path / "s3d_dict.npy")
