"""Ids (strings) <-> rows (dense integers), memory-mapped and shared by all workers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray

from artifacts.arrays import IntVector, map_array
from artifacts.columns import StringColumn, open_columns, write_columns
from artifacts.errors import ArtifactError, DataError

IDS_NAME = "ids.arrow"
SLOTS_NAME = "slots.npy"
UNKNOWN_ROW = -1


class Vocabulary:
    """An immutable bijection between n ids and the rows 0 .. n-1.

    On disk: the ids in row order (`ids.arrow`) and an open-addressing table of rows (`slots.npy`,
    int32, a power of two at most half full, -1 = empty), probed linearly from XXH3-64 of the id.
    Nothing is read into private memory when it is opened.
    """

    __slots__ = ("_ids", "_mask", "_slots")

    def __init__(self, ids: StringColumn, slots: IntVector) -> None:
        self._ids = ids
        self._slots = memoryview(slots)  # type: ignore[arg-type]  # numpy arrays are buffers
        self._mask = len(slots) - 1

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def text(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """(n + 1,) offsets and (bytes,) UTF-8 of the ids in row order, as they are mapped."""
        return self._ids.text

    def id(self, row: int) -> str:
        """Return the id of `row`, 0 <= row < len(self). Cost: O(1)."""
        id = self._ids[row]
        assert id is not None, "bug: a vocabulary holds no nulls"
        return id

    def row(self, id: str) -> int:
        """Return the row of `id`, or -1 if it is unknown. Cost: O(1), two probes on average."""
        slot = xxhash.xxh3_64_intdigest(id.encode("utf-8", "surrogatepass")) & self._mask
        while (row := self._slots[slot]) != UNKNOWN_ROW:
            if self._ids[row] == id:
                return row
            slot = (slot + 1) & self._mask
        return UNKNOWN_ROW

    def rows(self, ids: Sequence[str]) -> IntVector:
        """Return the rows of `ids`, -1 for each unknown one."""
        return np.fromiter((self.row(id) for id in ids), dtype=np.int32, count=len(ids))

    def ids(self, rows: Sequence[int] | IntVector) -> list[str]:
        """Return the ids of `rows`, 0 <= row < len(self), in their order."""
        return self._ids.pick(rows if isinstance(rows, list) else [int(row) for row in rows])

    @classmethod
    def open(cls, folder: Path) -> "Vocabulary":
        """Map a vocabulary that `write_vocabulary` wrote.

        Raises:
            ArtifactError: a file is missing or the two disagree.
        """
        columns = open_columns(folder / IDS_NAME)
        slots = map_array(folder / SLOTS_NAME)
        ids = columns["id"]
        if len(slots) < 2 * len(ids):
            raise ArtifactError(f"{folder}: {len(slots)} slots are too few for {len(ids)} ids")
        return cls(ids, slots)


def write_vocabulary(folder: Path, ids: Sequence[str]) -> Vocabulary:
    """Write the ids in row order with their look-up table, and open the result.

    Raises:
        DataError: an id is empty or appears twice (the first offender is named).
    """
    if len(set(ids)) != len(ids):
        seen: set[str] = set()
        twice = next(id for id in ids if id in seen or seen.add(id))  # type: ignore[func-returns-value]
        raise DataError(f"vocabulary: expected distinct ids, got {twice!r} more than once")
    if "" in ids:
        raise DataError(f"vocabulary: expected non-empty ids, got one at row {list(ids).index('')}")
    folder.mkdir(parents=True, exist_ok=True)
    write_columns(folder / IDS_NAME, {"id": ids})
    np.save(folder / SLOTS_NAME, _slots(ids))
    return Vocabulary.open(folder)


def _slots(ids: Sequence[str]) -> IntVector:
    size = 1 << max(2 * len(ids), 2).bit_length()
    mask = size - 1
    slots = [UNKNOWN_ROW] * size
    for row, id in enumerate(ids):
        slot = xxhash.xxh3_64_intdigest(id.encode("utf-8", "surrogatepass")) & mask
        while slots[slot] != UNKNOWN_ROW:
            slot = (slot + 1) & mask
        slots[slot] = row
    return np.array(slots, dtype=np.int32)
