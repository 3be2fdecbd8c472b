"""The vectors and queries that all are examined with, as files that every process can read."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import unit_rows
from artifacts.errors import DataError
from benchmarks.compare.task import ARRAYS
from benchmarks.data import SearchData
from benchmarks.growth_rows import true_neighbors


@dataclass(frozen=True, slots=True)
class Exam:
    """What is asked, and how well it is to be answered.

    Attributes:
        folder: holds the arrays.
        k: neighbours.
        recall: that every peer is tuned to.
        batches: queries of a call, each of which is measured.
    """

    folder: Path
    k: int
    recall: float
    batches: tuple[int, ...]

    def write(self, data: SearchData) -> None:
        """Write the arrays: every other query chooses settings, the others are the load.

        Raises:
            DataError: there are too few queries for the largest batch, or too few vectors.
        """
        least = 2 * max(self.batches)
        if len(data.queries) < least or len(data.base) < self.k:
            raise DataError(
                f"{data.name}: expected {least} queries and {self.k} vectors or more, got "
                f"{len(data.queries)} and {len(data.base)}"
            )
        base, queries = unit_rows(data.base), unit_rows(data.queries)
        truth = true_neighbors(base, queries, self.k)
        arrays = (base, queries[::2], truth[::2], queries[1::2], truth[1::2])
        for name, array in zip(ARRAYS, arrays, strict=True):
            np.save(self.folder / f"{name}.npy", np.ascontiguousarray(array))
