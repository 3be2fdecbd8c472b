"""Precomputed neighbours on the shortest way from the mapped file to Python lists."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artifacts.neighbors import NeighborTable


class PrecomputedLists:
    """A neighbour table whose lists are cut without making an array.

    Slicing a memory-mapped array builds array objects that cost more than the ten numbers in them;
    a memoryview slice does not. This is the whole work of most answers.
    """

    __slots__ = ("_positions", "_rows", "_scores", "k")

    def __init__(self, table: NeighborTable) -> None:
        self.k = table.k
        self._positions = _flat_view(table.positions)
        self._rows = _flat_view(table.rows)
        self._scores = _flat_view(table.scores)

    def head(self, row: int, k: int) -> tuple[Sequence[int], Sequence[float]] | None:
        """Return the k best (rows, scores) of an item without padding, or None if it has no list.

        Cost: O(k).
        """
        position: int = self._positions[row]
        if position < 0:
            return None
        start = position * self.k
        rows: list[int] = self._rows[start : start + min(k, self.k)].tolist()
        while rows and rows[-1] < 0:
            rows.pop()
        scores: Sequence[float] = self._scores[start : start + len(rows)].tolist()
        return rows, scores


def _flat_view(array: NDArray[Any]) -> "memoryview[Any]":
    """Return the numbers of an array, row after row, without a copy."""
    flat = np.asarray(array).reshape(-1)
    return memoryview(flat)  # type: ignore[arg-type]  # numpy arrays are buffers
