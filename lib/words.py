"""The words that S3D's text side knows (thesis 2.4.1): a table of vectors, a number a word, 0 for none."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lib.weights import WeightsError

WORD = re.compile(r"[\w']+")


class Words:
    """Numbers of words, from 1.

    Args:
        words: in the order of their rows in the table (row 0 is for padding).
    """

    def __init__(self, words: Iterable[str]):
        self.words = tuple(words)
        self._number = {word: number for number, word in enumerate(self.words, 1)}

    def __len__(self) -> int:
        return len(self.words)

    def numbers(self, sentences: Sequence[str], longest: int = 16) -> Tensor:
        """(sentences, longest) int64: lower case, unknown words left out, cut or filled up with 0, as published.

        >>> Words(["slice", "the", "apple"]).numbers(["Slice the red apple!"], longest=5).tolist()
        [[1, 2, 3, 0, 0]]
        """
        rows = torch.zeros(len(sentences), longest, dtype=torch.int64)
        for row, sentence in zip(rows, sentences, strict=True):
            known = [self._number[word] for word in WORD.findall(sentence.lower()) if word in self._number][:longest]
            row[: len(known)] = torch.tensor(known, dtype=torch.int64)
        return rows


def read_dictionary(path: Path) -> Words:
    """The words of the published `s3d_dict.npy`.

    Raises:
        WeightsError: missing, or not an array of words.
    """
    try:
        words = np.load(path)
    except FileNotFoundError:
        raise WeightsError(f"{path}: S3D's dictionary is not there; it lies beside the published weights") from None
    except (OSError, ValueError, EOFError) as error:
        raise WeightsError(f"{path}: not an array of words ({error}); fetch the file again") from None
    if not isinstance(words, np.ndarray) or words.ndim != 1 or words.dtype.kind != "U":
        raise WeightsError(f"{path}: not an array of words; fetch the file again")
    if len(set(words.tolist())) < len(words):
        raise WeightsError(
            f"{path}: a word stands twice, so the rows are not those of the published table; fetch it again"
        )
    return Words(words.tolist())


def words_of(captions: Iterable[str]) -> Words:
    """All words of a corpus, in the order of the alphabet."""
    return Words(sorted({word for caption in captions for word in WORD.findall(caption.lower())}))


def piece_vectors(words: Words, pieces: Tensor, tokenize) -> Tensor:
    """A table for `Words` from a text model's word pieces: each word the mean of its pieces.

    Args:
        pieces: (vocabulary, H), the text model's input vectors.
        tokenize: words -> numbers of their pieces, without special tokens.

    Returns:
        (1 + words, H) of unit variance, row 0 zero.
    """
    rows = torch.stack([pieces[numbers].mean(dim=0) for numbers in tokenize(list(words.words))])
    return torch.cat((torch.zeros_like(rows[:1]), rows / rows.std()))
