"""The methods that evaluation compares: each scores every candidate for a query item."""

from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntVector, unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.relation import Relation

NOT_A_CANDIDATE = np.float32(-np.inf)


class Scorer(Protocol):
    """Scores the candidates `rows` for queries; higher is better.

    Attributes:
        name: name of the method in reports.
        rows: (m,) int32 vocabulary rows of the candidates, strictly ascending.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see the class

    @property
    def rows(self) -> IntVector: ...  # noqa: D102 - see the class

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Score all candidates.

        Args:
            queries: (q,) int32 vocabulary rows, all of them among `rows`.

        Returns:
            (q, m) float32 that the caller may change; -inf where the method has nothing to say.
        """
        ...


class EmbeddingScorer:
    """Neighbours of one relation in one space, searched exactly."""

    def __init__(self, table: EmbeddingTable, relation: Relation, name: str) -> None:
        self.name = name
        self.rows = table.rows
        self._table = table
        if relation is Relation.ALTERNATIVES:
            self._asking = self._asked = unit_rows(table.vectors)
        else:
            self._asking, self._asked = table.vectors, table.targets(relation)

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return cosines for alternatives, inner products for continuations."""
        products: FloatMatrix = self._asking[self._table.positions(queries)] @ self._asked.T
        return products


class PopularityScorer:
    """The same for everybody: training sessions that hold the item."""

    def __init__(self, popularity: IntVector, name: str = "most popular") -> None:
        self.name = name
        self.rows = np.flatnonzero(popularity).astype(np.int32)
        self._counts = np.asarray(popularity)[self.rows].astype(np.float32)

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return the counts, once a query."""
        return np.tile(self._counts, (len(queries), 1))


class CoOccurrenceScorer:
    """Training sessions that hold both items, over sqrt(sessions of the candidate + smoothing).

    Memory: two sparse matrices with one entry for each item of each session.
    """

    def __init__(
        self, sessions: Path, *, items: int, smoothing: float, name: str = "co-occurrence"
    ) -> None:
        holds = _incidence(sessions, items)  # (sessions, items)
        counts = np.asarray(holds.sum(axis=0)).ravel()
        self.name = name
        self.rows = np.flatnonzero(counts).astype(np.int32)
        self._holds = holds[:, self.rows].tocsr()  # (sessions, m)
        self._held_by = holds.T.tocsr()  # (items, sessions)
        self._weights = (1 / np.sqrt(counts[self.rows] + smoothing)).astype(np.float32)

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return the damped counts; -inf for items that no session holds with the query."""
        both: FloatMatrix = (self._held_by[queries] @ self._holds).toarray()  # (q, m)
        both *= self._weights
        both[both == 0] = NOT_A_CANDIDATE
        return both


def _incidence(sessions: Path, items: int) -> "sp.csr_matrix[np.float32]":
    lists = pq.read_table(sessions, columns=["items"]).column("items").combine_chunks()
    offsets: NDArray[np.int32] = lists.offsets.to_numpy()
    rows: IntVector = np.array(lists.flatten())  # Arrow lends its memory for reading only
    ones = np.ones(len(rows), dtype=np.float32)
    holds = sp.csr_matrix((ones, rows, offsets - offsets[0]), shape=(len(lists), items))
    holds.sum_duplicates()
    holds.data[:] = 1
    return holds
