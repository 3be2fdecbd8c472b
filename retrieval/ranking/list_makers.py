"""What can propose candidates for a context by looking up."""

from typing import NamedTuple, Protocol

import numpy as np

from artifacts.arrays import FloatVector, IntVector
from artifacts.catalog import Catalog
from artifacts.covisitation import CovisitationTable
from artifacts.neighbors import NeighborTable
from artifacts.popularity import PopularityTable
from artifacts.ranker import ListSettings
from artifacts.recent_sessions import RecentSessions
from retrieval.ranking.context import RankContext
from retrieval.ranking.list_kernels import first_others, merge_neighbors, merge_ragged
from retrieval.ranking.recent_visits import RecentVisits
from retrieval.session_knn import session_knn
from retrieval.session_knn_config import SessionKnnConfig


class Asked(NamedTuple):
    """What a list is asked for."""

    context: RankContext
    recent: RecentVisits
    """The visits that count most."""
    barred: IntVector
    """Rows that are in no list, ascending."""


class ListMaker(Protocol):
    """Proposes items that are not barred."""

    def of(self, asked: Asked, n: int) -> tuple[IntVector, FloatVector]:
        """Return at most n (rows, scores): int32 and float32, best first, ties by ascending row."""
        ...


class NeighborLists:
    """The precomputed lists of the visited items, merged."""

    __slots__ = ("_positions", "_rows", "_scores")

    def __init__(self, table: NeighborTable) -> None:
        # Plain arrays over the mapping: compiled kernels take them much faster than memmaps.
        self._positions = np.asarray(table.positions)
        self._rows = np.asarray(table.rows)
        self._scores = np.asarray(table.scores)

    def of(self, asked: Asked, n: int) -> tuple[IntVector, FloatVector]:
        """Merge by weighted scores."""
        table = (self._positions, self._rows, self._scores)
        recent = asked.recent
        rows, scores = merge_neighbors(*table, recent.rows, recent.weights, asked.barred, n)
        return rows, scores


class CovisitedLists:
    """What shares sessions with the visited items."""

    __slots__ = ("_offsets", "_scores", "_values")

    def __init__(self, table: CovisitationTable) -> None:
        self._offsets = np.asarray(table.neighbors.offsets)
        self._values = np.asarray(table.neighbors.values)
        self._scores = np.asarray(table.scores)

    def of(self, asked: Asked, n: int) -> tuple[IntVector, FloatVector]:
        """Merge by weighted scores."""
        table = (self._offsets, self._values, self._scores)
        recent = asked.recent
        rows, scores = merge_ragged(*table, recent.rows, recent.weights, asked.barred, n)
        return rows, scores


class SessionVotes:
    """What sessions like this one hold."""

    __slots__ = ("_config", "_table")

    def __init__(self, table: RecentSessions, settings: ListSettings) -> None:
        self._table = table
        self._config = SessionKnnConfig(
            sample=settings.sample, neighbors=settings.neighbors, last_items=settings.visits
        )

    def of(self, asked: Asked, n: int) -> tuple[IntVector, FloatVector]:
        """Let the sessions most like the visits vote."""
        wanted = n + len(asked.barred)
        rows, scores = session_knn(self._table, asked.context.rows, wanted, self._config)
        places = first_others(rows, asked.barred, n)
        return rows[places], scores[places]


class PopularItems:
    """The most popular items of the category of the last visit; without one, of the shop."""

    __slots__ = ("_codes", "_counts", "_popularity")

    def __init__(self, popularity: PopularityTable, catalog: Catalog) -> None:
        self._popularity = popularity
        self._codes = np.asarray(catalog.category_codes)
        self._counts = np.asarray(catalog.popularity)

    def of(self, asked: Asked, n: int) -> tuple[IntVector, FloatVector]:
        """Return them with their counts."""
        visits = asked.context.rows
        last = visits[-1] if len(visits) else None
        if last is None:
            ranked = self._popularity.overall()
        else:
            ranked = self._popularity.in_category(int(self._codes[last]))
        head = np.asarray(ranked[: n + len(asked.barred)])
        rows = head[first_others(head, asked.barred, n)]
        return rows, self._counts[rows].astype(np.float32)


class VisitedItems:
    """What was visited before the last visit, the most recent first; scores are 1 / (1 + age)."""

    def of(self, asked: Asked, n: int) -> tuple[IntVector, FloatVector]:
        """Return them with their ages in distinct items."""
        rows = asked.recent.rows
        places = first_others(rows, asked.barred, n)
        return rows[places], (1 / (1 + places)).astype(np.float32)
