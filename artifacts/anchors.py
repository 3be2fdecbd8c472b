"""For every item the popular items most like it by content: the anchors of the hybrid."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector, map_array
from artifacts.errors import ArtifactError
from artifacts.neighbors import PAD_ROW

NAMES = ("rows", "similarities")


class AnchorThresholds(BaseModel):
    """When an item of a category may lend its list, and when one of it may borrow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_sessions: int
    """Training sessions that hold an item of the category before it is an anchor."""
    min_similarity: float
    """Input-to-input cosine of content below which an item of the category borrows nothing."""


@dataclass(frozen=True, slots=True)
class AnchorTable:
    """The a anchors of each of the v items of a vocabulary, memory-mapped.

    Anchors below the minimum similarity are in the table, so that an answer can tell how far the
    nearest one was.

    Attributes:
        rows: (v, a) int32 vocabulary rows, most alike first, ties by ascending row; -1 where there
            are no more.
        similarities: (v, a) float32 cosines of content; -inf where there are no more.
    """

    rows: IntMatrix
    similarities: FloatMatrix

    @property
    def anchors(self) -> int:
        """Anchors of each item, a, padding included."""
        return int(self.rows.shape[1])

    def of(self, row: int) -> tuple[IntVector, FloatVector]:
        """Return the anchors of an item and how alike they are, without padding."""
        rows = np.asarray(self.rows[row])
        known = int(np.count_nonzero(rows != PAD_ROW))
        return rows[:known], np.asarray(self.similarities[row, :known])

    def save(self, folder: Path) -> None:
        """Write the two arrays into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def open(cls, folder: Path, items: int) -> "AnchorTable":
        """Map a table that `save` wrote.

        Args:
            folder: where it was saved.
            items: size of the vocabulary, v.

        Raises:
            ArtifactError: a file is missing or unreadable, or of another shape.
        """
        rows, similarities = (map_array(folder / f"{name}.npy") for name in NAMES)
        if rows.shape != similarities.shape or rows.ndim != 2 or len(rows) != items:
            raise ArtifactError(
                f"{folder}: expected two arrays of {items} lines, got rows {rows.shape} and "
                f"similarities {similarities.shape}"
            )
        return cls(rows=rows, similarities=similarities)
