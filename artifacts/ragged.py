"""Lists of different lengths, end to end in one array, memory-mapped."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.errors import ArtifactError


@dataclass(frozen=True, slots=True)
class Ragged:
    """n lists of int32 numbers.

    Attributes:
        offsets: (n + 1,) int64, from 0 to m, ascending; list i is
            `values[offsets[i]:offsets[i + 1]]`.
        values: (m,) int32.
    """

    offsets: NDArray[np.int64]
    values: IntVector

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, i: int) -> IntVector:
        """Return list `i`. Cost: O(1), no copy."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) int64, the length of every list."""
        return np.diff(self.offsets)

    def lengths_of(self, rows: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the lengths of the lists `rows` alone."""
        offsets = np.asarray(self.offsets)
        lengths: NDArray[np.int64] = offsets[rows + 1] - offsets[rows]
        return lengths

    def places(self, rows: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return where in `values` the numbers of the lists `rows` stand, list after list."""
        lengths = self.lengths_of(rows)
        starts = np.cumsum(lengths) - lengths  # where each list begins in the answer
        shifts = np.repeat(np.asarray(self.offsets)[rows] - starts, lengths)
        places: NDArray[np.int64] = np.arange(int(lengths.sum()), dtype=np.int64) + shifts
        return places

    def take(self, rows: NDArray[np.integer]) -> "Ragged":
        """Return the lists `rows` in that order, copied."""
        return Ragged.of(self.lengths_of(rows), np.asarray(self.values)[self.places(rows)])

    @classmethod
    def of(cls, lengths: NDArray[np.integer], values: IntVector) -> "Ragged":
        """Cut `values` into lists of the given lengths, which must add up to all of them."""
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        assert offsets[-1] == len(values), "bug: lengths and values disagree"
        return cls(offsets, values)

    def save(self, folder: Path, name: str) -> None:
        """Write `<name>_offsets.npy` and `<name>.npy` into an existing folder."""
        np.save(folder / f"{name}_offsets.npy", self.offsets)
        np.save(folder / f"{name}.npy", self.values)

    @classmethod
    def open(cls, folder: Path, name: str) -> "Ragged":
        """Map the lists that `save` wrote.

        Raises:
            ArtifactError: a file is missing or unreadable, or the two disagree.
        """
        try:
            # Plain arrays over the mapping: compiled kernels take them much faster than memmaps.
            offsets = np.asarray(np.load(folder / f"{name}_offsets.npy", mmap_mode="r"))
            values = np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))
        except (OSError, ValueError) as error:
            raise ArtifactError(
                f"{folder}: the lists {name!r} cannot be opened: {error}"
            ) from error
        if not len(offsets) or offsets[-1] != len(values):
            raise ArtifactError(
                f"{folder}: the offsets of {name!r} end at {offsets[-1:]}, not at {len(values)}"
            )
        return cls(offsets, values)
