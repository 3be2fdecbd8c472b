"""Items that share sessions, best first, with counts: memory-mapped."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatVector, IntVector
from artifacts.errors import ArtifactError
from artifacts.manifest import read_manifest
from artifacts.ragged import Ragged

COVISITATION = "covisitation"
"""Name of the table."""

NEIGHBORS = "neighbors"
SCORES_NAME = "scores.npy"
COUNTS_NAME = "counts.npy"


@dataclass(frozen=True, slots=True)
class CovisitationTable:
    """For each vocabulary row, the items that sessions hold together with it.

    The lists are ragged: most items of a large catalogue share sessions with few others, and a
    padded table would be several times as large.

    Attributes:
        neighbors: v lists of vocabulary rows, best score first, ties by ascending row; the item
            itself is never among them.
        scores: (m,) float32, parallel to `neighbors.values`; damped counts, higher is better,
            comparable only within this table.
        counts: (m,) int32, training sessions that hold both items.
    """

    neighbors: Ragged
    scores: FloatVector
    counts: IntVector

    def __len__(self) -> int:
        return len(self.neighbors)

    def lookup(self, row: int) -> tuple[IntVector, FloatVector, IntVector]:
        """Return (rows, scores, counts) of an item, empty if it has none. Cost: O(1), no copy."""
        start, end = self.neighbors.offsets[row], self.neighbors.offsets[row + 1]
        return (
            self.neighbors.values[start:end],
            self.scores[start:end],
            self.counts[start:end],
        )

    def save(self, folder: Path) -> None:
        """Write the arrays into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.neighbors.save(folder, NEIGHBORS)
        np.save(folder / SCORES_NAME, self.scores)
        np.save(folder / COUNTS_NAME, self.counts)

    @classmethod
    def open(cls, folder: Path) -> "CovisitationTable":
        """Map a sealed table.

        Raises:
            ArtifactError: it is not sealed, a file is missing or unreadable, or the files disagree.
        """
        read_manifest(folder, "table")
        return cls.map(folder)

    @classmethod
    def map(cls, folder: Path) -> "CovisitationTable":
        """Map a table that `save` wrote, sealed by itself or as a part of something else.

        Raises:
            ArtifactError: a file is missing or unreadable, or the files disagree.
        """
        neighbors = Ragged.open(folder, NEIGHBORS)
        try:
            scores = np.load(folder / SCORES_NAME, mmap_mode="r")
            counts = np.load(folder / COUNTS_NAME, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{folder}: co-visitation cannot be opened: {error}") from error
        if not len(neighbors.values) == len(scores) == len(counts):
            raise ArtifactError(
                f"{folder}: {len(neighbors.values)} neighbours, {len(scores)} scores, "
                f"{len(counts)} counts"
            )
        return cls(neighbors, scores, counts)
