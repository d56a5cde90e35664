"""The text files of the MS-TCN layout: mapping.txt, groundTruth/*.txt, splits/*.bundle (the whole: `lib/dataset.py`).

Each function reads one file and raises a `DatasetError` of one line that names it.
"""

import re
from collections import Counter
from collections.abc import Container, Mapping
from pathlib import Path

import numpy as np


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
