"""A .npy file that is written row by row, so that the array is never whole in memory (packing narrated data, 2.1.2)."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, DTypeLike


class RowFile:
    """An array of which rows are appended; `close` completes it.

    Attributes:
        rows: how many there are.
    """

    def __init__(self, path: Path, dtype: DTypeLike, *columns: int):
        self.rows = 0
        self._dtype, self._columns = np.dtype(dtype), columns
        self._file = path.open("wb")
        self._write_header()

    def append(self, rows: ArrayLike) -> None:
        """Add rows of shape (n, *columns)."""
        array = np.ascontiguousarray(rows, self._dtype)
        if array.shape[1:] != self._columns:
            raise ValueError(f"{self._file.name}: rows of shape {array.shape[1:]}, expected {self._columns}")
        self._file.write(array.data)
        self.rows += len(array)

    def close(self) -> None:
        """Give the header the number of rows."""
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def _write_header(self) -> None:
        # numpy pads headers so that a longer first axis fits in the same place (`GROWTH_AXIS_MAX_DIGITS`)
        shape = (self.rows, *self._columns)
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
