"""Single files: text, arrays by their headers, arrays written row by row. An error is one line and names the file."""

from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from lib.core.files import atomic


class DatasetError(ValueError):
    """Data that cannot be used; the message is one printable line: which file, what is wrong, how to correct it."""

    def __init__(self, message: str) -> None:
        cut = message if len(message) < 600 else f"{message[:600]} …"
        super().__init__("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut))


def read_text(path: Path) -> str:
    """Read a text file. Raises DatasetError: it is missing, empty or not UTF-8."""
    try:
        if path.exists() and not path.is_file():
            raise DatasetError(f"{path}: not a file")
        text = path.read_bytes().decode()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: not a text file in UTF-8") from None
    if not text:
        raise DatasetError(f"{path}: empty")
    return text


def array_header(path: Path, axes: str) -> np.ndarray:
    """Map the floats of a .npy file, to look at their shape and type.

    `axes` are "(D, T)" or "(T, D)"; D must not be 0, but T may be.

    Raises DatasetError: the file is missing, damaged, or holds anything else.
    """
    try:
        if not path.is_file():
            raise ValueError("no such file")
        with path.open("rb") as file:
            magic = file.read(6)
        if magic[:2] == b"PK":
            raise ValueError("an archive of np.savez; save its array with np.save")
        if magic != b"\x93NUMPY":
            raise ValueError("the first bytes are not those of NumPy's format")
        header = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError, SyntaxError, TokenError, OverflowError) as error:
        what = " ".join(str(error).split())[:200]
        raise DatasetError(f"{path}: not a complete .npy file ({what}); add or extract it again") from None
    if header.ndim != 2 or header.dtype.kind != "f" or not header.shape[axes.index("D") // 4]:
        raise DatasetError(f"{path}: {header.dtype} of shape {header.shape}; expected floats of shape {axes}")
    return header


def check_width(first: dict[int, Path], dim: int, path: Path) -> None:
    """Compare a file's number of channels with those of earlier files; `first` keeps the first file of each width.

    Raises DatasetError: the numbers differ.
    """
    first.setdefault(dim, path)
    if len(first) > 1:
        (expected, other), *_ = first.items()
        raise DatasetError(f"{path}: {dim} channels, but {other.name} has {expected}; extract it again")


def check_finite(values: np.ndarray, unit: str, path: Path, what: str = "NaN or infinite") -> None:
    """Check that all values (rows, columns) are finite; `unit` is what a row stands for, such as "frame".

    Raises DatasetError: a value is not finite; names the first such row.
    """
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if bad.size:
        raise DatasetError(
            f"{path}: {what} in {bad.size} of {len(values)} {unit}s, first in {unit} {bad[0]}; extract it again"
        )


def save_array(path: Path, values: np.ndarray) -> None:
    """Write a .npy file, whole or not at all."""
    with atomic(path) as temporary:
        np.save(temporary, values)


class RowFile:
    """A .npy file written row by row, so that the whole array is never in memory; `close` completes it."""

    def __init__(self, path: Path, dtype: DTypeLike, *columns: int):
        self.rows = 0  # written so far
        self._dtype, self._columns = np.dtype(dtype), columns
        self._file = path.open("wb")
        self._write_header()

    def append(self, rows: ArrayLike) -> None:
        """Add rows (n, *columns). Raises ValueError: the shape differs."""
        array = np.ascontiguousarray(rows, self._dtype)
        if array.shape[1:] != self._columns:
            raise ValueError(f"{self._file.name}: rows of shape {array.shape[1:]}, expected {self._columns}")
        self._file.write(array.data)
        self.rows += len(array)

    def close(self) -> None:
        """Write the number of rows into the header."""
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def _write_header(self) -> None:
        # numpy pads headers so that a longer first axis fits in the same place (`GROWTH_AXIS_MAX_DIGITS`)
        shape = (self.rows, *self._columns)
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
