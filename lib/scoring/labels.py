"""Labels, one per frame, of predictions and ground truth; and segments, the runs of equal labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

Labels = Sequence[str] | Sequence[int] | np.ndarray


class LabelError(ValueError):
    """Labels that cannot be used; the message is one line."""


@dataclass(frozen=True)
class Segments:
    """Label, first frame and end (exclusive) of each segment, arrays of shape (S,), in order."""

    labels: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


def segments(labels: Labels) -> Segments:
    """Split labels, one per frame, into runs of equal ones. Raises LabelError: as in `label_array`.

    >>> runs = segments(["cut", "cut", "mix"])
    >>> list(zip(runs.labels.tolist(), runs.starts.tolist(), runs.ends.tolist()))
    [('cut', 0, 2), ('mix', 2, 3)]
    """
    array = label_array(labels)
    borders = np.concatenate([[0], np.flatnonzero(array[1:] != array[:-1]) + 1, [len(array)]])
    return Segments(array[borders[:-1]], borders[:-1], borders[1:])


def label_array(labels: Labels, what: str = "labels") -> np.ndarray:
    """Turn labels into an array of names or of integers, (T,); `what` names them in an error.

    Raises LabelError: no labels, or neither names nor integers.
    """
    array = np.asarray(labels)
    if array.dtype == object:  # a pandas column of names
        array = np.array(array.tolist())
    if array.size == 0:
        raise LabelError(f"{what}: no frames")
    if array.ndim != 1 or array.dtype.kind not in "iuU":
        raise LabelError(f"{what}: expected one name or number per frame, found {array.dtype} of shape {array.shape}")
    return array


def levenshtein(first: Sequence, second: Sequence) -> int:
    """Smallest number of insertions, deletions and substitutions that turn one sequence of labels into the other.

    >>> levenshtein(["cut", "mix", "serve"], ["mix", "serve"])
    1
    """
    # renumbered, since rapidfuzz compares elements by their hashes, and hash(-1) == hash(-2)
    number = {label: i for i, label in enumerate(dict.fromkeys([*first, *second]))}
    return Levenshtein.distance([number[label] for label in first], [number[label] for label in second])
