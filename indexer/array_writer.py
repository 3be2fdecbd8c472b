"""Write an array to a `.npy` file block by block."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray


class ArrayWriter:
    """Appends blocks of rows to a file; nothing but the block is held in memory.

    Plain writes, not a writable mapping: a full disk is then an OSError and not a SIGBUS.
    """

    def __init__(self, file: BinaryIO, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._file = file
        self._dtype = np.dtype(dtype)
        self._missing = shape[0]
        np.lib.format.write_array_header_1_0(
            file,
            {"shape": shape, "fortran_order": False, "descr": self._dtype.str},
        )

    @property
    def missing(self) -> int:
        """Rows still to come."""
        return self._missing

    def append(self, block: NDArray[Any]) -> None:
        """Write the next rows."""
        self._file.write(np.ascontiguousarray(block, dtype=self._dtype).tobytes())
        self._missing -= len(block)


@contextmanager
def write_array(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> Iterator[ArrayWriter]:
    """Open `path` for an array of `shape`, all rows of which must be appended."""
    with path.open("wb") as file:
        writer = ArrayWriter(file, shape, dtype)
        yield writer
        assert writer.missing == 0, f"bug: {path}: {writer.missing} rows were not written"
