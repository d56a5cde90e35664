"""Predictions are the hub: one label per frame, one text file per test video.

The first line is a heading. In the form of MS-TCN's and ASFormer's code the second line has the class names of all
frames, separated by blanks. Where a class name has several words, each frame has a line of its own, below another
heading. A prediction may outlast its ground truth by less than the step at which a program samples frames: at half the
frame rate it repeats each label, so that a video with an odd number of frames becomes one frame longer.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from lib.core.files import write_text
from lib.data.dataset import Dataset
from lib.data.files import DatasetError, read_text

HEADING = "### Frame level recognition: ###"
HEADING_OF_LINES = "### Frame level recognition, one label per line: ###"


class PredictionError(ValueError):
    """A prediction that cannot be used; the message is one line that names the file."""


def write_prediction(path: Path, names: Sequence[str]) -> None:
    """Write the class names of the frames, in ASFormer's form unless a name has several words.

    Raises PredictionError: no names, or one is empty or has white space other than single blanks.
    """
    if not names:
        raise PredictionError(f"{path}: no frames to write")
    known = set(names)
    if wrong := [name for name in known if not name or " ".join(name.split()) != name]:
        raise PredictionError(f"{path}: a class name must be words separated by single blanks, found {min(wrong)!r}")
    lines = any(" " in name for name in known)
    write_text(path, f"{HEADING_OF_LINES}\n" + "\n".join(names) if lines else f"{HEADING}\n{' '.join(names)}")


def read_prediction(path: Path) -> list[str]:
    """Read the class names of the frames, in either form. Raises PredictionError: the file is missing or in neither."""
    try:
        heading, *lines = read_text(path).splitlines()
    except DatasetError as error:
        raise PredictionError(str(error)) from None
    if heading == HEADING_OF_LINES and lines and all(line.split() for line in lines):
        return [" ".join(line.split()) for line in lines]
    if heading == HEADING and len(lines) == 1 and lines[0].split():
        return lines[0].split()
    if heading == HEADING:
        raise PredictionError(f"{path}: expected one line of class names below the heading, found {len(lines)}")
    if heading == HEADING_OF_LINES:
        raise PredictionError(f"{path}: expected a class name on each line below the heading")
    raise PredictionError(f"{path}: the first line must be {HEADING!r}, found {heading[:40]!r}")


def prediction_pairs(
    folder: Path, dataset: Dataset, videos: Iterable[str], step: int = 2
) -> dict[str, tuple[list[str], list[str]]]:
    """Predictions beside the ground truth, as metrics compare them: video -> (prediction, truth), one name per frame.

    Args:
        folder: has `<video>.txt`, or `<video>` as ASFormer's code names its files.
        step: of the program that wrote them, in frames: a prediction may be up to step - 1 frames longer.

    Raises PredictionError: a file is missing, of another length, or has a label that is not in the mapping.
    """
    pairs = {}
    for video in videos:
        path = folder / video if (folder / video).exists() else folder / f"{video}.txt"
        prediction, truth = read_prediction(path), dataset.names(video)
        if unknown := set(prediction) - set(dataset.classes):
            hint = ""
            if any(" " in name for name in dataset.classes):
                hint = f"; names of several words need a line per frame below {HEADING_OF_LINES!r}"
            raise PredictionError(f"{path}: class {min(unknown)!r} is not in {dataset.root / 'mapping.txt'}{hint}")
        if not len(truth) <= len(prediction) < len(truth) + step:
            raise PredictionError(
                f"{path}: {len(prediction)} frames, the ground truth has {len(truth)}; predict one label per frame"
            )
        pairs[video] = (prediction, truth)
    return pairs
