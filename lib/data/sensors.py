"""Accelerometers of 50 Salads, and features of a CNN that was trained anew for each split (50salads_sensors).

    <root>/features/split_<k>/<video>.npy   (128, T) spatial CNN trained on the training videos of split k
    <root>/sensors/<video>.npy              (30, T) |x|, |y|, |z| of ten kitchen tools, the same in all splits

with mapping, groundTruth and splits as in every data set (lib/data/dataset.py), three steps per second. Published by
Lea et al. (CVPR 2017), one .mat file per split and video: features A (T, 128), sensors S (30, T), labels Y (T, 1).
A sensor reads 0 where it sent no sample within 250 ms. The release does not say which sensor sits on which tool.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import loadmat
from scipy.ndimage import uniform_filter1d

from lib.data.dataset import Dataset, write_data_set
from lib.data.files import DatasetError, array_header, check_finite, read_text, save_array
from lib.data.svm_scores import SPLITS

TOOLS, CHANNELS = 10, 30
FOLDERS = ("sensors", "accelerometers")
WINDOW = 5  # steps of a windowed mean
CAP = 1.0  # of a difference between two steps: a knock counts no more than a stroke


def sensor_folder(root: Path) -> Path | None:
    """Folder of a data set's sensors; None if it has none."""
    return next((root / name for name in FOLDERS if (root / name).is_dir()), None)


def read_sensors(dataset: Dataset, videos: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """Read the sensors of some videos (None: of all), each float32 (30, T), in g.

    Raises DatasetError: sensors are missing, superfluous, not finite or of another length than the labels.
    """
    folder = sensor_folder(dataset.root)
    if folder is None:
        raise DatasetError(f"{dataset.root / FOLDERS[0]}: missing; `python -m lib.fetch 50salads_sensors` makes it")
    if extra := {path.stem for path in folder.glob("[!.]*.npy")} - set(dataset.videos):
        raise DatasetError(f"{folder / min(extra)}.npy: extra, groundTruth/ has no {min(extra)}.txt; remove it")
    chosen = dataset.videos if videos is None else videos
    return {video: _read(folder / f"{video}.npy", len(dataset.labels(video))) for video in chosen}


def _read(path: Path, steps: int) -> np.ndarray:
    header = array_header(path, "(D, T)")
    if header.shape != (CHANNELS, steps):
        raise DatasetError(f"{path}: shape {header.shape}, expected ({CHANNELS}, {steps}) as in groundTruth/")
    values = np.array(header, np.float32)
    check_finite(values.T, "step", path)
    return values


def motion(sensors: np.ndarray) -> np.ndarray:
    """Absolute difference from the step before, (30, T) in g, at most `CAP`; 0 where either step has no sample.

    >>> motion(np.array([[1.0, 1.25, 0.0, 1.0, 8.0]])).tolist()
    [[0.0, 0.25, 0.0, 0.0, 1.0]]
    """
    change = np.abs(np.diff(sensors, axis=1, prepend=sensors[:, :1])).clip(max=CAP)
    present = sensors != 0
    change[:, 1:] *= present[:, 1:] & present[:, :-1]
    return change


def motion_windows(sensors: np.ndarray) -> np.ndarray:
    """Means over windows of five steps: of motion, then of presence (whether there is a sample), float32 (60, T).

    At the ends, the outermost step counts several times.
    """
    both = np.concatenate([motion(sensors), sensors != 0]).astype(np.float32)
    return uniform_filter1d(both, WINDOW, axis=1, mode="nearest")


def tool_motion(sensors: np.ndarray) -> np.ndarray:
    """Windowed motion of each tool, (10, T), in g: the mean over its three axes."""
    return motion_windows(sensors)[:CHANNELS].reshape(TOOLS, 3, -1).mean(axis=1)


def motion_table(tools: np.ndarray) -> pd.DataFrame:
    """`tool_motion` as a figure plots it: one row per step, one column per sensor."""
    return pd.DataFrame(tools.T, columns=[f"sensor {number}" for number in range(1, len(tools) + 1)])


def motion_shares(dataset: Dataset, sensors: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Percent of each tool's motion that falls on each action: one row per tool, "sensor 1" to "sensor 10"."""
    total = np.zeros((TOOLS, len(dataset.classes)))
    for video in dataset.videos:
        np.add.at(total.T, dataset.labels(video), motion(sensors[video]).reshape(TOOLS, 3, -1).mean(axis=1).T)
    names = [f"sensor {number}" for number in range(1, TOOLS + 1)]
    return pd.DataFrame(100 * total / total.sum(axis=1, keepdims=True), index=names, columns=list(dataset.classes))


def motion_sentence(shares: pd.DataFrame) -> str:
    """Name the three tools whose motion is most confined to one action, with that action.

    >>> shares = pd.DataFrame({"cut": [80.0, 50.0], "peel": [20.0, 50.0]}, index=["sensor 1", "sensor 2"])
    >>> motion_sentence(shares)
    'Most of what they measure belongs to one action: sensor 1 moves for 80 % in cut, sensor 2 for 50 % in cut.'
    """
    first = shares.max(axis=1).nlargest(3)
    parts = [f"{name} for {share:.0f} % in {shares.loc[name].idxmax()}" for name, share in first.items()]
    parts[0] = parts[0].replace(" for ", " moves for ", 1)
    return f"Most of what they measure belongs to one action: {', '.join(parts)}."


def convert(raw: Path, out: Path) -> None:
    """Write the data set from the published files.

    `raw` has Split_<k>/<video>.avi.mat, splits/Split_<k>/test.txt and mid_level_actions.txt.

    Raises DatasetError: a file is missing or does not fit the others.
    """
    classes = ["background", *read_text(raw / "mid_level_actions.txt").split()]
    splits = {
        k: [f"rgb-{name}" for name in read_text(raw / "splits" / f"Split_{k}" / "test.txt").split()] for k in SPLITS
    }
    labels: dict[str, np.ndarray] = {}
    sensors: dict[str, np.ndarray] = {}
    for k in SPLITS:
        for video in sorted(video for tested in splits.values() for video in tested):
            path = raw / f"Split_{k}" / f"{video}.avi.mat"
            part = _mat(path)
            if not np.array_equal(labels.setdefault(video, part["Y"]), part["Y"]):
                raise DatasetError(f"{path}: its labels are not those of split {SPLITS[0]}")
            if not np.array_equal(sensors.setdefault(video, part["S"]), part["S"]):
                raise DatasetError(f"{path}: its sensors are not those of split {SPLITS[0]}")
            save_array(out / "features" / f"split_{k}" / f"{video}.npy", np.ascontiguousarray(part["A"].T, np.float32))
    for video, values in sensors.items():
        save_array(out / FOLDERS[0] / f"{video}.npy", np.ascontiguousarray(values, np.float32))
    write_data_set(out, classes, labels, splits)


def _mat(path: Path) -> Mapping[str, np.ndarray]:
    """Read the features A (T, D), sensors S (30, T) and class numbers Y (T,) of a file."""
    try:
        cells = loadmat(path, variable_names=["A", "S", "Y"])
        found = {"A": cells["A"], "S": cells["S"], "Y": cells["Y"].ravel()}
    except (OSError, KeyError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({error})") from None
    steps = len(found["Y"])
    if len(found["A"]) != steps or found["S"].shape != (CHANNELS, steps):
        raise DatasetError(f"{path}: features {found['A'].shape} and sensors {found['S'].shape} of {steps} labels")
    return found


def link(copy: Path, out: Path) -> None:
    """Make the data set out of links into a converted copy, such as the one in ../shared/data.

    Raises DatasetError: the copy is incomplete.
    """
    out.mkdir(parents=True, exist_ok=True)
    folder = sensor_folder(copy)
    if folder is None:
        raise DatasetError(f"{copy / FOLDERS[0]}: missing, and no {FOLDERS[1]} either")
    for name in ("mapping.txt", "groundTruth", "splits", "features", folder.name):
        target = out / (FOLDERS[0] if name == folder.name else name)
        target.unlink(missing_ok=True)
        target.symlink_to((copy / name).resolve())
