"""Real 50 Salads videos as class scores: from the published .mat files to the MS-TCN layout (data set 50salads_scores).

Lea et al. (CVPR 2017) published, for each second of their five test splits, the output of a linear SVM on spatial-CNN
features: scores S (T, 18), decision P, truth Y. Class 0 is background, the others count from 1 in the order of
mid_level_actions.txt. The SVM of a split did not see its test videos. But the scores of a video on which a later model
trains come from an SVM whose training set held that model's test videos: a mild leak, to be reported with the results.
"""

from pathlib import Path

import numpy as np
from scipy.io import loadmat

from lib.data.dataset import write_data_set
from lib.data.files import DatasetError, read_text, save_array

SPLITS = (1, 2, 3, 4, 5)


def convert(raw: Path, out: Path) -> None:
    """Write the data set, 1 fps: features/*.npy as float32 (18, T), groundTruth/, splits/, mapping.txt.

    `raw` has Split_<k>.mat, splits/Split_<k>/test.txt, mid_level_actions.txt, downloaded by `python -m lib.fetch`.

    Raises DatasetError: a file is missing or does not fit the others; nothing is written then.
    """
    classes = ["background", *read_text(raw / "mid_level_actions.txt").split()]
    splits = {k: _read_split(raw, k, len(classes)) for k in SPLITS}
    labels = {video: labels for tested in splits.values() for video, (_, labels) in tested.items()}
    write_data_set(out, classes, labels, splits)
    for tested in splits.values():
        for video, (scores, _) in tested.items():
            save_array(out / "features" / f"{video}.npy", scores)


def _read_split(raw: Path, k: int, num_classes: int) -> dict[str, tuple[np.ndarray, list[int]]]:
    """Test videos of a split: name -> scores, float32 (num_classes, T), and class numbers of the T seconds."""
    path = raw / f"Split_{k}.mat"
    names = read_text(raw / "splits" / f"Split_{k}" / "test.txt").split()
    try:
        cells = loadmat(path, variable_names=["S", "Y"])
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error})") from None
    scores, truths = cells["S"].ravel(), cells["Y"].ravel()
    if not len(names) == len(scores) == len(truths):
        raise DatasetError(f"{path}: {len(scores)} videos, but splits/Split_{k}/test.txt names {len(names)}")
    for name, score, truth in zip(names, scores, truths, strict=True):
        if score.shape != (truth.size, num_classes):
            raise DatasetError(f"{path}: {name} has scores {score.shape}, expected ({truth.size}, {num_classes})")
    return {
        f"rgb-{name}": (np.ascontiguousarray(score.T, dtype=np.float32), truth.ravel().tolist())
        for name, score, truth in zip(names, scores, truths, strict=True)
    }
