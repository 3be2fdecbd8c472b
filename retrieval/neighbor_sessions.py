"""Items that sessions like the shopper's hold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.recent_sessions import RecentSessions
from artifacts.relation import ScoreKind
from retrieval.candidates import Source
from retrieval.ranked_list import RankedList
from retrieval.session_knn import session_knn
from retrieval.session_knn_config import SessionKnnConfig


@dataclass(frozen=True, slots=True)
class NeighborSessions:
    """Session-kNN over the recent sessions of a snapshot."""

    table: RecentSessions
    config: SessionKnnConfig

    def of(self, row: int) -> RankedList:
        """Return all that the sessions most like a visit of one item hold."""
        return self._ranked(np.array([row], dtype=np.int32), len(self.table))

    def rank(self, visited: IntVector, weights: NDArray[np.floating], n: int) -> RankedList:
        """Let the sessions most like the visits vote.

        Order says how much a visit counts here, as the method has it; the size of a weight does not.
        Visits that speak against their item, or do not count, are passed over.
        """
        return self._ranked(visited[weights > 0], n)

    def _ranked(self, visited: IntVector, n: int) -> RankedList:
        rows, scores = session_knn(self.table, visited, n, self.config)
        return RankedList(rows, scores, Source.SESSION_KNN, ScoreKind.SESSION_WEIGHT)
