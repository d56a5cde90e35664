"""Predictions are the hub: a label a frame, one text file a test video, in the form of MS-TCN's and ASFormer's code.

The first line is a heading, the second the class names of all frames with spaces between. A prediction may be a frame
longer than its ground truth: a model that runs at half the frame rate repeats each of its labels.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from lib.core.files import write_text
from lib.data.dataset import Dataset


HEADING = "### Frame level recognition: ###"


class PredictionError(ValueError):
    """A prediction that cannot be used; the message is one line that names the file."""


def write_prediction(path: Path, names: Sequence[str]) -> None:
    """Write the class names of the frames.

    Raises:
        PredictionError: there are none, or a name is empty or has white space, which the form cannot hold.
    """
    if not names:
        raise PredictionError(f"{path}: no frames to write")
    if wrong := [name for name in set(names) if name.split() != [name]]:
        raise PredictionError(f"{path}: a class name must be one word, found {min(wrong)!r}")
    write_text(path, f"{HEADING}\n{' '.join(names)}")


def read_prediction(path: Path) -> list[str]:
    """Class names of the frames.

    Raises:
        PredictionError: the file is missing, has another heading, or no or more than one line of labels.
    """
    try:
        heading, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    except (OSError, UnicodeDecodeError) as error:
        raise PredictionError(f"{path}: cannot be read ({error})") from None
    if heading != HEADING:
        raise PredictionError(f"{path}: the first line must be {HEADING!r}, found {heading[:40]!r}")
    if len(lines) != 1 or not lines[0].split():
        raise PredictionError(f"{path}: expected one line of class names below the heading, found {len(lines)}")
    return lines[0].split()


def prediction_pairs(folder: Path, dataset: Dataset, videos: Iterable[str]) -> dict[str, tuple[list[str], list[str]]]:
    """What `lib.scoring.metrics.score` and `metric_table` compare: video -> (prediction, ground truth), class names a frame.

    Args:
        folder: holds `<video>.txt`, or `<video>` as ASFormer's code names its files.
        dataset: gives the ground truth.
        videos: those to be scored.

    Raises:
        PredictionError: a file is missing, shorter than the ground truth, or has a label that is not in the mapping.
    """
    pairs = {}
    for video in videos:
        path = folder / video if (folder / video).exists() else folder / f"{video}.txt"
        prediction, truth = read_prediction(path), dataset.names(video)
        if unknown := set(prediction) - set(dataset.classes):
            raise PredictionError(f"{path}: class {min(unknown)!r} is not in {dataset.root / 'mapping.txt'}")
        if len(prediction) < len(truth):
            raise PredictionError(f"{path}: {len(prediction)} frames, the ground truth has {len(truth)}; predict all")
        pairs[video] = (prediction, truth)
    return pairs
