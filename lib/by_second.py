"""The target set at a label and a feature a second, for all methods alike (4.2): again in the MS-TCN layout.

    <outputs>/seconds/{mapping.txt, groundTruth, splits, features/<set>}

so that `open_dataset` reads it like any data set, at one frame a second. A second's label is that of the frame in its
middle; its feature is S3D's, or the mean of the frames' features.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lib.artifacts import atomic, write_text
from lib.dataset import Dataset
from lib.seconds import at_one_fps


def write_labels(root: Path, dataset: Dataset, splits: Sequence[int]) -> None:
    """Mapping, labels of the seconds and these splits."""
    write_text(root / "mapping.txt", "".join(f"{number} {name}\n" for number, name in enumerate(dataset.classes)))
    for video in dataset.videos:
        names = at_one_fps(dataset.names(video), dataset.fps).tolist()
        write_text(root / "groundTruth" / f"{video}.txt", "".join(f"{name}\n" for name in names))
    for split in splits:
        for side, part in zip(("train", "test"), dataset.split(split), strict=True):
            write_text(root / "splits" / f"{side}.split{split}.bundle", "".join(f"{video}.txt\n" for video in part))


def write_features(root: Path, name: str, features: Mapping[str, np.ndarray]) -> None:
    """A feature set.

    Args:
        features: video -> (T, D), a row a second.
    """
    for video, rows in features.items():
        with atomic(root / "features" / name / f"{video}.npy") as temporary:
            np.save(temporary, np.ascontiguousarray(rows.T, np.float32))


def second_means(feature: np.ndarray, fps: float) -> np.ndarray:
    """Mean of the features of each second's frames.

    Args:
        feature: (D, frames).
        fps: frames a second.

    Returns:
        (T, D), T = seconds that have begun.

    >>> second_means(np.array([[1.0, 3.0, 5.0, 7.0, 9.0]]), fps=2).T.tolist()
    [[2.0, 6.0, 9.0]]
    """
    second = (np.arange(feature.shape[1]) / fps).astype(int)
    sums = np.add.reduceat(feature, np.searchsorted(second, np.arange(second[-1] + 1)), axis=1)
    return (sums / np.bincount(second)).T
