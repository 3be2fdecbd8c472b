"""What can rank items for visits, by looking up instead of searching."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from retrieval.candidates import Source
from retrieval.covisited import Covisited
from retrieval.neighbor_sessions import NeighborSessions
from retrieval.ranked_list import RankedList
from retrieval.session_knn_config import SessionKnnConfig
from retrieval.state import ServingState


class VisitSource(Protocol):
    """Ranks the items of a shop for what a shopper visited."""

    def of(self, row: int) -> RankedList:
        """Return what belongs with one item, best first; empty where nothing is known of it.

        The item itself may be among them.
        """

    def rank(self, visited: IntVector, weights: NDArray[np.floating], n: int) -> RankedList:
        """Return at most n items, best first; those visited may be among them.

        Args:
            visited: (m,) int32 vocabulary rows, oldest first, repeats allowed.
            weights: (m,) what each visit says; below 0 it speaks against the item.
            n: items wanted.
        """


def visit_source(state: ServingState, source: Source, session_knn: SessionKnnConfig) -> VisitSource:
    """Return the table of a snapshot that answers for `CO_OCCURRENCE` or `SESSION_KNN`.

    Raises:
        UnsupportedError: the snapshot lacks it.
    """
    match source:
        case Source.CO_OCCURRENCE:
            return Covisited(state.require_covisitation())
        case Source.SESSION_KNN:
            return NeighborSessions(state.require_recent_sessions(), session_knn)
        case _:
            raise AssertionError(f"bug: source {source} ranks no visits")
