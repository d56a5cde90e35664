"""A data set in the MS-TCN layout, for real and demo data alike (thesis 2.1.1; Abu Farha and Gall, CVPR 2019).

    <root>/mapping.txt                            one class per line: `0 cut_tomato`
    <root>/groundTruth/<video>.txt                one class name per line, one line per frame
    <root>/splits/{train,test}.split<k>.bundle    one `<video>.txt` per line
    <root>/features/<set>/<video>.npy             (D, T) floats; set "." means the files in features/ itself

A class name may have several words; any white space between them counts as one blank. `open_dataset` checks everything
but the values of the features, which are checked when they are read (all at once: `check_features`). Faults raise a
one-line `DatasetError` that names the file.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from lib.core.files import sha256, write_text
from lib.core.processes import track
from lib.data.files import DatasetError, array_header, check_finite, check_width, read_text


def channel_statistics(videos: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel over all steps of videos (D, T); both float32 (D, 1).

    They are computed in float64, video by video. The deviation of a channel that never changes is 1, so that it becomes
    zero when it is standardized.

    >>> mean, deviation = channel_statistics([np.array([[0, 4, 4], [5, 5, 5]]), np.array([[0], [5]])])
    >>> mean.ravel().tolist(), deviation.ravel().tolist()
    ([2.0, 5.0], [2.0, 1.0])
    """
    steps, total, squares = 0, np.zeros(()), np.zeros(())
    for video in videos:
        values = video.astype(np.float64)
        steps += values.shape[1]
        total = total + values.sum(axis=1)
        squares = squares + np.square(values).sum(axis=1)
    mean = total / steps
    deviation = np.sqrt(np.maximum(squares / steps - mean**2, 0))
    deviation[deviation <= 1e-6 * np.abs(mean)] = 1
    return mean[:, None].astype(np.float32), deviation[:, None].astype(np.float32)


def read_mapping(path: Path) -> tuple[str, ...]:
    """Read the class names, in the order of their numbers, from lines such as `0 cut_tomato`.

    Raises DatasetError: a line has another form, or the numbers do not run from 0 without a gap.
    """
    entries: dict[int, str] = {}
    for line in _lines(path):
        number, *words = line.split()
        name = " ".join(words)
        if not re.fullmatch("[0-9]{1,9}", number) or not name or int(number) in entries or name in entries.values():
            raise DatasetError(f"{path}: {line!r}: expected `number name`, each number and name once")
        entries[int(number)] = name
    if sorted(entries) != list(range(len(entries))):
        raise DatasetError(f"{path}: class numbers must run from 0 to {len(entries) - 1} without a gap")
    return tuple(entries[number] for number in sorted(entries))


def read_labels(path: Path, numbers: Mapping[str, int]) -> np.ndarray:
    """Read the class numbers of a video's frames, int64 (T,), read-only; the file has one class name per line.

    Raises DatasetError: a class is not in `numbers`.
    """
    names = _lines(path)
    known = {name: numbers.get(" ".join(name.split()), -1) for name in set(names)}
    labels = np.array([known[name] for name in names])
    if (labels < 0).any():
        first = int((labels < 0).argmax())
        raise DatasetError(f"{path}: line {first + 1}: class {names[first]!r} is not in mapping.txt")
    labels.flags.writeable = False
    return labels


def read_bundle(path: Path, videos: Container[str]) -> tuple[str, ...]:
    """Read the videos of one side of a split, without file endings; each line has a name such as rgb-01-1.txt.

    Raises DatasetError: a line is no such name, is listed twice, or is not among `videos`.
    """
    entries = [line.strip() for line in _lines(path)]
    for entry, count in Counter(entries).items():
        if not entry.endswith(".txt"):
            raise DatasetError(f"{path}: {entry!r}: expected the name of a label file such as rgb-01-1.txt")
        if entry.removesuffix(".txt") not in videos:
            raise DatasetError(f"{path}: {entry} is missing in groundTruth/; add the file or remove the line")
        if count > 1:
            raise DatasetError(f"{path}: {entry} is listed {count} times")
    return tuple(entry.removesuffix(".txt") for entry in entries)


def check_bundles(folder: Path, splits: int) -> None:
    """Check that a folder holds the bundles of splits 1 to `splits` and no others.

    Raises DatasetError: a bundle is missing or superfluous.
    """
    expected = {f"{side}.split{number}.bundle" for number in range(1, splits + 1) for side in ("train", "test")}
    found = {path.name for path in folder.glob("*") if re.fullmatch(r"(train|test)\.split\d+\.bundle", path.name)}
    for fault, names, way in (("missing", expected - found, "add"), ("extra", found - expected, "remove")):
        if names:
            raise DatasetError(
                f"{folder / min(names)}: {fault}, data.splits is {splits}; {way} it or correct data.splits"
            )


def check_classes(names: Iterable[str], classes: Iterable[str], key: str) -> None:
    """Check that class names from a profile, read from its `key`, are classes of the data set.

    Raises DatasetError: one of them is not.
    """
    if unknown := sorted(set(names) - set(classes)):
        raise DatasetError(f"{key}: the data set has no class {unknown[0]!r}; its classes are {', '.join(classes)}")


def check_lengths(dataset: "Dataset", sample_rate: int) -> None:
    """Check that each video keeps two frames when only every `sample_rate`-th is used: ASFormer normalizes over time.

    Raises DatasetError: a video is too short.
    """
    for video in dataset.videos:
        if (frames := len(dataset.labels(video))) <= sample_rate:
            raise DatasetError(
                f"{dataset.root / 'groundTruth' / video}.txt: {frames} frames, of which asformer.sample_rate "
                f"{sample_rate} leaves one; ASFormer needs two: remove the video or lower the rate"
            )


def write_layout(
    root: Path,
    classes: Sequence[str],
    labels: Mapping[str, Iterable[int]],
    splits: Mapping[int, Sequence[Sequence[str]]],
) -> None:
    """Write mapping.txt, groundTruth/ and splits/.

    `labels` has the class numbers of each video's steps, `splits` the training and the test videos of each split.
    """
    files = {"mapping.txt": [f"{number} {name}" for number, name in enumerate(classes)]}
    files |= {f"groundTruth/{video}.txt": [classes[number] for number in steps] for video, steps in labels.items()}
    for k, parts in splits.items():
        for side, videos in zip(("train", "test"), parts, strict=True):
            files[f"splits/{side}.split{k}.bundle"] = [f"{video}.txt" for video in videos]
    for name, lines in files.items():
        write_text(root / name, "".join(f"{line}\n" for line in lines))


def write_data_set(
    root: Path, classes: Sequence[str], labels: Mapping[str, Iterable[int]], tested: Mapping[int, Collection[str]]
) -> None:
    """Write a layout as `write_layout` does; a split trains on all videos that are not in `tested`."""
    splits = {k: (sorted({*labels} - {*test}), sorted(test)) for k, test in tested.items()}
    write_layout(root, classes, labels, splits)


def person(video: str) -> str:
    """The person in a video, by its name: 50 Salads' "rgb-<person>-<number>", Breakfast's and GTEA's "<person>_…".

    >>> person("rgb-03-2"), person("P03_cam01_P03_cereals"), person("S1_Cheese_C1")
    ('rgb-03', 'P03', 'S1')
    """
    return video.rsplit("-", 1)[0] if "-" in video else video.split("_", 1)[0]


def _lines(path: Path) -> list[str]:
    """Read the lines of a file; each must end in a newline, including the last, and none may be blank."""
    text = read_text(path)
    if "\r" in text:
        raise DatasetError(f"{path}: line ends of Windows (CRLF); convert it, for instance with dos2unix")
    if not text.endswith("\n"):
        raise DatasetError(f"{path}: no newline after the last line, so MS-TCN's readers drop that line; add one")
    lines = text.removesuffix("\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line or line.isspace():
            raise DatasetError(f"{path}: line {number} is empty; remove it")
    return lines


Split = tuple[tuple[str, ...], tuple[str, ...]]  # training and test videos
Trim = Literal["start", "both_ends", "end"]  # where features that outlast the labels are cut (thesis 2.3.2)


@dataclass(frozen=True, eq=False)
class Dataset:
    """An opened data set."""

    root: Path
    fps: float  # frames per second, of labels and features
    classes: tuple[str, ...]  # names in the order of their numbers
    videos: tuple[str, ...]  # names without ending, sorted, e.g. "rgb-01-1"
    feature_dim: int  # D; 0 where the data set was opened for its labels only
    _labels: Mapping[str, np.ndarray]
    _splits: Mapping[int, Split]
    _features: Path | None
    _trim: Trim | None

    @property
    def splits(self) -> tuple[int, ...]:
        return tuple(self._splits)

    def split(self, number: int) -> Split:
        """Training and test videos of a split, in the order of the bundles. Raises DatasetError: no such split."""
        if number not in self._splits:
            known = ", ".join(map(str, self._splits))
            raise DatasetError(f"{self.root / 'splits'}: no split {number}; there are {known}")
        return self._splits[number]

    def labels(self, video: str) -> np.ndarray:
        """Class numbers of the frames, int64 (T,), read-only. Raises DatasetError: no such video."""
        if video not in self._labels:
            raise DatasetError(f"{self.root / 'groundTruth' / video}.txt: no such video")
        return self._labels[video]

    def names(self, video: str) -> list[str]:
        """Class names of the frames. Raises DatasetError: no such video."""
        return [self.classes[label] for label in self.labels(video).tolist()]

    def feature(self, video: str) -> np.ndarray:
        """Features of the frames, float32 (D, T), all of them finite. Raises DatasetError: they cannot be used."""
        frames, path = len(self.labels(video)), self._file(video)
        feature = np.load(path)
        surplus = feature.shape[1] - frames  # 0 unless they are to be trimmed
        first = {"start": surplus, "both_ends": surplus // 2}.get(self._trim or "end", 0)
        feature = np.ascontiguousarray(feature[:, first : first + frames], dtype=np.float32)
        check_finite(feature.T, "frame", path)
        return feature

    def content(self, video: str) -> str:
        """Identity of `feature`, without loading it: the file's SHA-256, which is remembered, and the trimming."""
        return f"{sha256(self._file(video))} {self._trim}"

    def _file(self, video: str) -> Path:
        if self._features is None:
            raise DatasetError(f"{self.root}: opened for its labels only, so there are no features of {video}")
        return self._features / f"{video}.npy"


def open_dataset(
    root: Path, features: str | None, fps: float, trim: Trim | None = None, splits: int | None = None
) -> Dataset:
    """Read mapping, labels, splits and the headers of the features.

    Args:
        features: feature set, a folder in features/ or an absolute path; "." for features/ itself; None: labels only.
        trim: cut features that outlast the labels at the start, at both ends or at the end; None: lengths must agree.
        splits: required number of splits; None: any.

    Raises DatasetError: a file is missing or cannot be used, or files do not fit together.
    """
    if splits is not None:
        check_bundles(root / "splits", splits)
    classes = read_mapping(root / "mapping.txt")
    numbers = {name: number for number, name in enumerate(classes)}
    labels = {path.stem: read_labels(path, numbers) for path in _files(root / "groundTruth", "*.txt")}
    parts = _read_splits(root / "splits", labels)
    folder, dim = None, 0
    if features is not None:
        folder = root / "features" / features
        dim = _feature_dim(folder, labels, trim)
        _check_copies(folder, labels, parts)
    return Dataset(root, fps, classes, tuple(labels), dim, labels, parts, folder, trim)


def check_features(dataset: Dataset) -> None:
    """Read every feature, so that faults come before hours of training. Raises DatasetError: a value is not finite."""
    for video in track(dataset.videos, "checking features, video"):
        dataset.feature(video)


def _read_splits(folder: Path, labels: Mapping[str, np.ndarray]) -> dict[int, Split]:
    found = (re.fullmatch(r"(?:train|test)\.split(\d+)\.bundle", path.name) for path in _files(folder, "*.bundle"))
    splits = {}
    for number in sorted({int(name[1]) for name in found if name}):
        files = [folder / f"{side}.split{number}.bundle" for side in ("train", "test")]
        train, test = (read_bundle(file, labels) for file in files)
        if both := set(train) & set(test):
            raise DatasetError(f"{files[1]}: {min(both)}.txt is in {files[0].name} too; remove it from one of them")
        if extra := set(labels) - set(train) - set(test):
            path = folder.parent / "groundTruth" / f"{min(extra)}.txt"
            raise DatasetError(f"{path}: extra, not listed in {files[0].name} or {files[1].name}; list or remove it")
        splits[number] = (train, test)
    if not splits:
        raise DatasetError(f"{folder}: no bundle has a name such as train.split1.bundle, test.split1.bundle")
    return splits


def _feature_dim(folder: Path, labels: Mapping[str, np.ndarray], trim: Trim | None) -> int:
    """Number of channels D, which must be the same in all files; only their headers are read."""
    if extra := {path.stem for path in _files(folder, "*.npy")} - set(labels):
        raise DatasetError(f"{folder / min(extra)}.npy: extra, groundTruth/ has no {min(extra)}.txt; remove it")
    dims: dict[int, Path] = {}
    for video, truth in labels.items():
        path = folder / f"{video}.npy"
        if not path.exists():
            raise DatasetError(f"{path}: missing, but groundTruth/ has {video}.txt; extract it")
        header = array_header(path, "(D, T)")
        dim, frames = header.shape
        if frames != len(truth) and (trim is None or frames < len(truth)):
            hint = "it seems to be (T, D), save it transposed" if dim == len(truth) else "extract or trim it to fit"
            raise DatasetError(f"{path}: {frames} frames, but groundTruth/{video}.txt has {len(truth)}; {hint}")
        check_width(dims, dim, path)
    return next(iter(dims))


def _check_copies(folder: Path, labels: Mapping[str, np.ndarray], splits: Mapping[int, Split]) -> None:
    """Refuse a test video that is a training video under another name: the same labels and the same features."""
    groups = defaultdict(list)
    for video, truth in labels.items():
        groups[truth.tobytes()].append(video)
    alike = defaultdict(set)
    for video in [video for group in groups.values() if len(group) > 1 for video in group]:
        alike[sha256(folder / f"{video}.npy")].add(video)
    for number, (train, test) in splits.items():
        for same in alike.values():
            if (tested := same & {*test}) and (trained := same & {*train}):
                raise DatasetError(
                    f"{folder / min(tested)}.npy: a copy of {min(trained)}.npy, on which split {number} trains; "
                    "remove one of the two videos"
                )


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in folder.glob(pattern) if path.name[0] != ".")  # such a file is a killed writer's
    if not found:
        raise DatasetError(f"{folder}: has no {pattern}; for the layout see notebooks/guides/real_data.md")
    return found
