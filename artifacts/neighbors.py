"""Rows and scores, best first: a live answer and the precomputed table alike."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector, map_array
from artifacts.errors import ArtifactError

PAD_ROW = -1
PAD_SCORE = -np.inf


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The k best rows of q queries.

    Attributes:
        rows: (q, k) int32, best first, ties by ascending row; -1 where hits ran out.
        scores: (q, k) float32, higher is better; -inf where hits ran out.
    """

    rows: IntMatrix
    scores: FloatMatrix

    @classmethod
    def empty(cls, q: int, k: int) -> "Neighbors":
        """Return q answers without a hit."""
        return cls(
            rows=np.full((q, k), PAD_ROW, dtype=np.int32),
            scores=np.full((q, k), PAD_SCORE, dtype=np.float32),
        )


@dataclass(frozen=True, slots=True)
class NeighborTable:
    """Precomputed neighbours of every item of a space, memory-mapped.

    Attributes:
        positions: (v,) int32, the place of each vocabulary row in the lists, -1 if it has none.
        rows: (n, k) int32 vocabulary rows, as in `Neighbors`.
        scores: (n, k) float32, as in `Neighbors`.
    """

    positions: IntVector
    rows: IntMatrix
    scores: FloatMatrix

    @property
    def k(self) -> int:
        """Length of the lists, padding included."""
        return int(self.rows.shape[1])

    def lookup(self, row: int) -> tuple[IntVector, FloatVector] | None:
        """Return (rows, scores) of an item, padding included, or None. Cost: O(1), no copy."""
        position = self.positions[row]
        if position < 0:
            return None
        return self.rows[position], self.scores[position]

    def save(self, folder: Path) -> None:
        """Write the three arrays into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("positions", "rows", "scores"):
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def open(cls, folder: Path) -> "NeighborTable":
        """Map a table that `save` wrote.

        Raises:
            ArtifactError: a file is missing or unreadable, or the shapes disagree.
        """
        positions, rows, scores = (
            map_array(folder / f"{name}.npy") for name in ("positions", "rows", "scores")
        )
        if rows.shape != scores.shape:
            raise ArtifactError(f"{folder}: rows {rows.shape} and scores {scores.shape} differ")
        return cls(positions=positions, rows=rows, scores=scores)
