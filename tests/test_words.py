"""Words of S3D's text side: numbered as by the published code (tests/golden); dictionaries that are none."""

import json

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


def test_dictionaries_that_cannot_be_read(tmp_path):
    with pytest.raises(WeightsError, match=r"s3d_dict.npy: S3D's dictionary is missing; it is published beside"):
        read_dictionary(tmp_path / "s3d_dict.npy")
    np.save(tmp_path / "objects.npy", np.array([{"slice": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "page.npy").write_bytes(b"<html>404</html>")
    np.save(tmp_path / "whole.npy", np.array(["slice", "apple"] * 100))
    (tmp_path / "part.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:500])
    for name in ("objects.npy", "page.npy", "part.npy"):
        with pytest.raises(WeightsError, match=rf"{name}: not an array of words \(.*download it again") as error:
            read_dictionary(tmp_path / name)
        assert "\n" not in str(error.value)


def test_a_words_vector_is_the_scaled_mean_of_its_pieces():
    pieces = torch.tensor([[0.0, 0], [1, 10], [3, 20], [5, 90]])
    spelled = {"apple": [1], "slices": [2, 3]}
    table = piece_vectors(Words(spelled), pieces, lambda words: [spelled[word] for word in words])
    means = torch.tensor([[0.0, 0], [1, 10], [4, 55]])
    torch.testing.assert_close(table, means / means[1:].std())


@pytest.mark.parametrize(
    "content",
    [np.arange(3), np.array("abc"), np.array([["a"], ["b"]]), np.array([], float)],
    ids=["numbers", "one word", "a table", "nothing"],
)
def test_arrays_that_are_no_dictionary(tmp_path, content):
    np.save(tmp_path / "dict.npy", content)
    with pytest.raises(WeightsError, match=r"dict.npy: not an array of words"):
        read_dictionary(tmp_path / "dict.npy")


def test_files_that_are_no_dictionary(tmp_path):
    (tmp_path / "empty.npy").write_bytes(b"")
    np.savez(tmp_path / "many.npz", a=np.array(["a"]))
    for path in (tmp_path / "empty.npy", tmp_path / "many.npz", tmp_path):
        with pytest.raises(WeightsError, match="not an array of words"):
            read_dictionary(path)
