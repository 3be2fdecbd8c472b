"""The vector that a query asks with."""

from dataclasses import dataclass

import numpy as np

from artifacts.arrays import FloatVector, IntVector
from artifacts.embeddings import EmbeddingTable


@dataclass(frozen=True, slots=True, eq=False)
class QueryVector:
    """An input vector of a space, (d,) float32 of any length, and the space's table."""

    values: FloatVector
    table: EmbeddingTable

    @classmethod
    def of_item(cls, table: EmbeddingTable, row: int) -> "QueryVector | None":
        """Return the vector of an item, or None if the space lacks it. Cost: O(log n)."""
        position = int(table.positions(np.array([row], dtype=np.int32))[0])
        if position < 0:
            return None
        return cls(np.array(table.vectors[position], dtype=np.float32), table)

    def cosines(self, rows: IntVector) -> FloatVector:
        """Return the input-to-input cosine with each of `rows`; NaN for rows without a vector.

        A zero vector has cosine 0 with everything. Cost: O(len(rows) (d + log n)).
        """
        positions = self.table.positions(rows)
        known = positions >= 0
        vectors = np.asarray(self.table.vectors[positions[known]])  # (m, d)
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(self.values)
        cosines = np.full(len(rows), np.nan, dtype=np.float32)
        cosines[known] = (vectors @ self.values) / np.where(lengths > 0, lengths, 1)
        return cosines
