"""One space of vectors: a matrix and the vocabulary rows that it covers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector, check_matrix, map_array
from artifacts.errors import DataError
from artifacts.relation import Relation

ROWS_NAME = "rows.npy"
VECTORS_NAME = "vectors.npy"
OUTPUTS_NAME = "outputs.npy"


@dataclass(frozen=True, slots=True)
class EmbeddingTable:
    """Vectors of the items that a space knows.

    An *asymmetric* space has two vectors an item: skip-gram's input vector, which asks, and its
    output vector, which is asked for (Mikolov et al. 2013, section 2). Neither is normalised here.

    Attributes:
        space: name of the space, such as `cf`.
        rows: (n,) int32 vocabulary rows, strictly ascending.
        vectors: (n, d) float32 input vectors; position i belongs to `rows[i]`.
        outputs: (n, d) float32 output vectors, or None for a symmetric space.
        lineage: id and config of what made it.
    """

    space: str
    rows: IntVector
    vectors: FloatMatrix
    outputs: FloatMatrix | None = None
    lineage: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def dim(self) -> int:
        """Dimensions of every vector."""
        return int(self.vectors.shape[1])

    @property
    def relations(self) -> tuple[Relation, ...]:
        """The relations that this space can answer."""
        if self.outputs is None:
            return (Relation.ALTERNATIVES,)
        return (Relation.ALTERNATIVES, Relation.CONTINUATIONS)

    def targets(self, relation: Relation) -> FloatMatrix:
        """Return the (n, d) vectors that neighbours of `relation` are searched among.

        Raises:
            DataError: the space is symmetric and has no continuations.
        """
        if relation is Relation.ALTERNATIVES:
            return self.vectors
        if self.outputs is None:
            raise DataError(f"space {self.space!r} has no output vectors, so no {relation}")
        return self.outputs

    def positions(self, rows: IntVector) -> IntVector:
        """Return where vocabulary `rows` stand in this table, -1 for each that it lacks.

        Cost: O(len(rows) log n).
        """
        if not len(self.rows):
            return np.full(len(rows), -1, dtype=np.int32)
        found = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[found] == rows, found, -1).astype(np.int32)

    def save(self, folder: Path) -> None:
        """Write the arrays into `folder`, checked.

        Raises:
            DataError: a vector is not finite, or shapes and rows disagree.
        """
        self._check()
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / ROWS_NAME, self.rows)
        np.save(folder / VECTORS_NAME, self.vectors)
        if self.outputs is not None:
            np.save(folder / OUTPUTS_NAME, self.outputs)

    def _check(self) -> None:
        check_matrix(self.vectors, name=f"space {self.space!r}, vectors")
        if self.outputs is not None:
            check_matrix(self.outputs, name=f"space {self.space!r}, outputs", dim=self.dim)
            if len(self.outputs) != len(self.rows):
                raise DataError(
                    f"space {self.space!r}: {len(self.outputs)} outputs for {len(self)}"
                )
        if self.rows.dtype != np.int32 or len(self.rows) != len(self.vectors):
            raise DataError(
                f"space {self.space!r}: expected {len(self.vectors)} int32 rows, "
                f"got {len(self.rows)} of {self.rows.dtype}"
            )
        if np.any(np.diff(self.rows) <= 0):
            raise DataError(f"space {self.space!r}: rows must be strictly ascending")

    @classmethod
    def open(
        cls, folder: Path, space: str, lineage: Mapping[str, Any] | None = None
    ) -> "EmbeddingTable":
        """Map a table that `save` wrote.

        Raises:
            ArtifactError: a file is missing or unreadable.
        """
        outputs = folder / OUTPUTS_NAME
        return cls(
            space=space,
            rows=map_array(folder / ROWS_NAME),
            vectors=map_array(folder / VECTORS_NAME),
            outputs=map_array(outputs) if outputs.exists() else None,
            lineage=lineage or {},
        )
