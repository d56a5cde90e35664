"""A data set in the MS-TCN layout, for real and demo data alike (thesis 2.1.1; Abu Farha and Gall, CVPR 2019).

    <root>/mapping.txt                            a class a line: `0 cut_tomato`
    <root>/groundTruth/<video>.txt                a class name a line, one for each frame
    <root>/splits/{train,test}.split<k>.bundle    `<video>.txt` a line
    <root>/features/<set>/<video>.npy             (D, T) floats; set "." are the files in features/ itself

`open_dataset` checks all of it but the values of the features, which are checked when they are read (all at once:
`check_features`). Whatever is wrong ends with a `DatasetError` of one line that names the file.

The text files of the MS-TCN layout: mapping.txt, groundTruth/*.txt, splits/*.bundle (the whole: `lib/data/dataset.py`).

Each function reads one file and raises a `DatasetError` of one line that names it.
"""

import re
from collections import Counter
from collections.abc import Container, Mapping
from pathlib import Path
import numpy as np
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from lib.core.progress import track


class DatasetError(ValueError):
    """A data set that cannot be used; the message is one line: which file, what is wrong, how to mend it."""


def read_mapping(path: Path) -> tuple[str, ...]:
    """Class names in the order of their numbers, from lines such as `0 cut_tomato`."""
    entries: dict[int, str] = {}
    for line in _lines(path):
        number, _, name = line.partition(" ")
        if not number.isdecimal() or not name or int(number) in entries or name in entries.values():
            raise DatasetError(f"{path}: {line!r}: expected `number name`, each number and name once")
        entries[int(number)] = name
    if sorted(entries) != list(range(len(entries))):
        raise DatasetError(f"{path}: class numbers must run from 0 to {len(entries) - 1} without a gap")
    return tuple(entries[number] for number in sorted(entries))


def read_labels(path: Path, numbers: Mapping[str, int]) -> np.ndarray:
    """Class numbers of a video's frames, int64 (T,), read-only; the file has a class name a line."""
    names = _lines(path)
    if unknown := set(names) - set(numbers):
        name = next(name for name in names if name in unknown)
        raise DatasetError(f"{path}: line {names.index(name) + 1}: class {name!r} is not in mapping.txt")
    labels = np.array([numbers[name] for name in names])
    labels.flags.writeable = False
    return labels


def read_bundle(path: Path, videos: Container[str]) -> tuple[str, ...]:
    """Videos of one side of a split, without ending; the file has a name such as rgb-01-1.txt a line."""
    entries = _lines(path)
    for entry, count in Counter(entries).items():
        if not entry.endswith(".txt"):
            raise DatasetError(f"{path}: {entry!r}: expected the name of a label file such as rgb-01-1.txt")
        if entry.removesuffix(".txt") not in videos:
            raise DatasetError(f"{path}: {entry} is missing in groundTruth/; bring the file or strike the line")
        if count > 1:
            raise DatasetError(f"{path}: {entry} is listed {count} times")
    return tuple(entry.removesuffix(".txt") for entry in entries)


def check_bundles(folder: Path, splits: int) -> None:
    """Hold the bundles that there are against the number of splits that a profile names.

    Raises:
        DatasetError: names the first that is missing or too many.
    """
    expected = {f"{side}.split{number}.bundle" for number in range(1, splits + 1) for side in ("train", "test")}
    there = {path.name for path in folder.glob("*") if re.fullmatch(r"(train|test)\.split\d+\.bundle", path.name)}
    for fault, names, way in (("missing", expected - there, "bring"), ("extra", there - expected, "remove")):
        if names:
            raise DatasetError(f"{folder / min(names)}: {fault}, data.splits is {splits}; {way} it or mend data.splits")


def person(video: str) -> str:
    """Whose video it is, by its name: 50 Salads' "rgb-<person>-<number>", Breakfast's and GTEA's "<person>_…".

    >>> person("rgb-03-2"), person("P03_cam01_P03_cereals"), person("S1_Cheese_C1")
    ('rgb-03', 'P03', 'S1')
    """
    return video.rsplit("-", 1)[0] if "-" in video else video.split("_", 1)[0]


def _lines(path: Path) -> list[str]:
    """Lines of a file in which every line, the last one too, ends in a newline."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: not a text file in UTF-8") from None
    if not text:
        raise DatasetError(f"{path}: empty")
    if "\r" in text:
        raise DatasetError(f"{path}: line ends of Windows (CRLF); convert it, for instance with dos2unix")
    if not text.endswith("\n"):
        raise DatasetError(f"{path}: no newline after the last line, so MS-TCN's readers drop that line; add one")
    lines = text.removesuffix("\n").split("\n")
    if "" in lines:
        raise DatasetError(f"{path}: line {lines.index('') + 1} is empty; remove it")
    return lines


Split = tuple[tuple[str, ...], tuple[str, ...]]  # training and test videos
Trim = Literal["start", "both_ends", "end"]  # where features that outlast the labels are cut (thesis 2.3.2)


@dataclass(frozen=True, eq=False)
class Dataset:
    """An opened data set.

    Attributes:
        root: its folder.
        fps: frames a second, of labels and features.
        classes: names in the order of their numbers.
        videos: names without ending, sorted, e.g. "rgb-01-1".
        feature_dim: D; 0 where the data set was opened for its labels only.
    """

    root: Path
    fps: float
    classes: tuple[str, ...]
    videos: tuple[str, ...]
    feature_dim: int
    _labels: Mapping[str, np.ndarray]
    _splits: Mapping[int, Split]
    _features: Path | None
    _trim: Trim | None

    @property
    def splits(self) -> tuple[int, ...]:
        """Their numbers."""
        return tuple(self._splits)

    def split(self, number: int) -> Split:
        """Training and test videos of a split, in the order of the bundles."""
        if number not in self._splits:
            there = ", ".join(map(str, self._splits))
            raise DatasetError(f"{self.root / 'splits'}: no split {number}; there are {there}")
        return self._splits[number]

    def labels(self, video: str) -> np.ndarray:
        """Class numbers of the frames, int64 (T,), read-only."""
        if video not in self._labels:
            raise DatasetError(f"{self.root / 'groundTruth' / video}.txt: no such video")
        return self._labels[video]

    def names(self, video: str) -> list[str]:
        """Class names of the frames."""
        return [self.classes[label] for label in self.labels(video).tolist()]

    def feature(self, video: str) -> np.ndarray:
        """Features of the frames, float32 (D, T), all of them finite."""
        frames = len(self.labels(video))
        if self._features is None:
            raise DatasetError(f"{self.root}: opened for its labels only, so there are no features of {video}")
        path = self._features / f"{video}.npy"
        feature = np.load(path)
        surplus = feature.shape[1] - frames  # 0 unless they are to be trimmed
        first = {"start": surplus, "both_ends": surplus // 2}.get(self._trim or "end", 0)
        feature = np.ascontiguousarray(feature[:, first : first + frames], dtype=np.float32)
        bad = np.flatnonzero(~np.isfinite(feature).all(axis=0))
        if bad.size:
            raise DatasetError(
                f"{path}: NaN or infinite in {bad.size} of {frames} frames, first in frame {bad[0]}; extract it again"
            )
        return feature


def open_dataset(
    root: Path, features: str | None, fps: float, trim: Trim | None = None, splits: int | None = None
) -> Dataset:
    """Read mapping, labels and splits, look at the headers of the features, check that all fit together.

    Args:
        root: folder of the data set.
        features: feature set, a folder in features/ or an absolute path; "." for features/ itself; None: labels only.
        fps: frames a second.
        trim: cut features that outlast the labels at the start, at both ends or at the end; None: lengths must agree.
        splits: number of splits that there must be; None: however many there are.

    Raises:
        DatasetError: one line about the first fault.
    """
    if splits is not None:
        check_bundles(root / "splits", splits)
    classes = read_mapping(root / "mapping.txt")
    numbers = {name: number for number, name in enumerate(classes)}
    labels = {path.stem: read_labels(path, numbers) for path in _files(root / "groundTruth", "*.txt")}
    parts = _read_splits(root / "splits", labels)
    folder = None if features is None else root / "features" / features
    dim = 0 if folder is None else _feature_dim(folder, labels, trim)
    return Dataset(root, fps, classes, tuple(labels), dim, labels, parts, folder, trim)


def check_features(dataset: Dataset) -> None:
    """Read every feature, so that a NaN is found before hours of training and not after.

    Raises:
        DatasetError: names the first file with a value that is not finite.
    """
    for video in track(dataset.videos, "checking features, video"):
        dataset.feature(video)


def _read_splits(folder: Path, labels: Mapping[str, np.ndarray]) -> dict[int, Split]:
    names = " ".join(path.name for path in _files(folder, "*.bundle"))
    splits = {}
    for number in sorted({int(k) for k in re.findall(r"\b(?:train|test)\.split(\d+)\.bundle", names)}):
        files = [folder / f"{side}.split{number}.bundle" for side in ("train", "test")]
        train, test = (read_bundle(file, labels) for file in files)
        if both := set(train) & set(test):
            raise DatasetError(f"{files[1]}: {min(both)}.txt is in {files[0].name} too; strike it from one of them")
        if extra := set(labels) - set(train) - set(test):
            path = folder.parent / "groundTruth" / f"{min(extra)}.txt"
            raise DatasetError(f"{path}: extra, not listed in {files[0].name} or {files[1].name}; list or remove it")
        splits[number] = (train, test)
    if not splits:
        raise DatasetError(f"{folder}: no bundle has a name such as train.split1.bundle, test.split1.bundle")
    return splits


def _feature_dim(folder: Path, labels: Mapping[str, np.ndarray], trim: Trim | None) -> int:
    """D, the same in all files, after a look at their headers."""
    if extra := {path.stem for path in _files(folder, "*.npy")} - set(labels):
        raise DatasetError(f"{folder / min(extra)}.npy: extra, groundTruth/ has no {min(extra)}.txt; remove it")
    dims: dict[int, Path] = {}
    for video, truth in labels.items():
        path = folder / f"{video}.npy"
        if not path.exists():
            raise DatasetError(f"{path}: missing, but groundTruth/ has {video}.txt; extract it")
        try:
            header = np.load(path, mmap_mode="r")
        except (OSError, ValueError, EOFError) as error:
            raise DatasetError(f"{path}: not a whole .npy file ({error}); bring or extract it again") from None
        if header.ndim != 2 or header.dtype.kind != "f":
            raise DatasetError(f"{path}: {header.dtype} of shape {header.shape}; expected floats of shape (D, T)")
        dim, frames = header.shape
        if frames != len(truth) and (trim is None or frames < len(truth)):
            hint = "it seems to be (T, D), save it transposed" if dim == len(truth) else "extract or trim it to fit"
            raise DatasetError(f"{path}: {frames} frames, but groundTruth/{video}.txt has {len(truth)}; {hint}")
        dims.setdefault(dim, path)
        if len(dims) > 1:
            first, other = dims.items()
            raise DatasetError(f"{other[1]}: {other[0]} channels, but {first[1].name} has {first[0]}; extract it again")
    return next(iter(dims))


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in folder.glob(pattern) if path.name[0] != ".")  # a killed writer leaves such files
    if not found:
        raise DatasetError(f"{folder}: has no {pattern}; for the layout see README, real data")
    return found
