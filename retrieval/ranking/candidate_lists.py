"""The lists of all sources for a context: what is ranked, and what ranks and scores come from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.errors import UnsupportedError
from artifacts.ranker import ListSettings
from artifacts.snapshot import Snapshot
from artifacts.user_space_layout import USER_SPACE
from retrieval.candidates import Source
from retrieval.ranking.context import RankContext
from retrieval.ranking.list_makers import (
    Asked,
    CovisitedLists,
    ListMaker,
    NeighborLists,
    PopularItems,
    SessionVotes,
    VisitedItems,
)
from retrieval.ranking.recent_visits import RecentVisits

VISITED = "visited"
"""Source of what the shopper may come back to."""


@dataclass(frozen=True, slots=True, eq=False)
class CandidateLists:
    """What each source proposes, list after list.

    Nothing that was visited is among them; where the settings allow revisits, only the last visit is
    not.

    Attributes:
        names: (s,) names of the sources.
        offsets: (s + 1,) int64; list i is `offsets[i]:offsets[i + 1]`.
        rows: (m,) int32 vocabulary rows, best first in each list.
        scores: (m,) float32, higher is better, on a scale of each source's own.
    """

    names: tuple[str, ...]
    offsets: NDArray[np.int64]
    rows: IntVector
    scores: FloatVector

    def pool(self) -> IntVector:
        """Return the distinct rows of all lists, ascending. Cost: O(m log m)."""
        return np.unique(self.rows)

    @classmethod
    def of(
        cls, names: Sequence[str], lists: Sequence[tuple[IntVector, FloatVector]]
    ) -> "CandidateLists":
        """Join lists of (rows, scores), one for each name."""
        lengths = [len(rows) for rows, _ in lists]
        return cls(
            names=tuple(names),
            offsets=np.cumsum([0, *lengths], dtype=np.int64),
            rows=np.concatenate([np.empty(0, np.int32), *(rows for rows, _ in lists)]),
            scores=np.concatenate([np.empty(0, np.float32), *(scores for _, scores in lists)]),
        )


class CandidateSources:
    """Gathers the lists of a snapshot's sources, all by looking up; thread-safe.

    Args:
        snapshot: what they look up in.
        names: sources, of those that `source_names` returns.
        settings: how many items and visits.

    Raises:
        UnsupportedError: the snapshot lacks what a source is made of.
    """

    __slots__ = ("_makers", "names", "settings")

    def __init__(self, snapshot: Snapshot, names: Sequence[str], settings: ListSettings) -> None:
        self.names = tuple(names)
        self.settings = settings
        self._makers = tuple(_maker(snapshot, name, settings) for name in names)

    def gather(self, context: RankContext) -> CandidateLists:
        """Return the lists for a context. Cost: some hundreds of microseconds."""
        settings = self.settings
        recent = RecentVisits.of(context, settings.visits, settings.half_life)
        barred = context.rows[-1:] if settings.revisits else recent.visited
        asked = Asked(context, recent, barred)
        lists = [maker.of(asked, settings.depth) for maker in self._makers]
        return CandidateLists.of(self.names, lists)


def source_names(snapshot: Snapshot, settings: ListSettings) -> tuple[str, ...]:
    """Return the names of all sources that a snapshot has: `<space>.<relation>`, then others."""
    spaces = sorted(f"{space}.{relation}" for space, relation in snapshot.neighbors)
    names = [name for name in spaces if not name.startswith(f"{USER_SPACE}.")]
    if snapshot.recent_sessions is not None:
        names.append(Source.SESSION_KNN.value)
    if snapshot.covisitation is not None:
        names.append(Source.CO_OCCURRENCE.value)
    if settings.revisits:
        names.append(VISITED)
    return (*names, Source.POPULAR.value)


def _maker(snapshot: Snapshot, name: str, settings: ListSettings) -> ListMaker:
    tables = {
        f"{space}.{relation}": table for (space, relation), table in snapshot.neighbors.items()
    }
    if name in tables:
        return NeighborLists(tables[name])
    if name == VISITED:
        return VisitedItems()
    match name:
        case Source.SESSION_KNN if snapshot.recent_sessions is not None:
            return SessionVotes(snapshot.recent_sessions, settings)
        case Source.CO_OCCURRENCE if snapshot.covisitation is not None:
            return CovisitedLists(snapshot.covisitation)
        case Source.POPULAR:
            return PopularItems(snapshot.popularity, snapshot.catalog)
    raise UnsupportedError(
        f"snapshot {snapshot.id} has no source {name!r} of candidates; "
        f"it has: {', '.join(source_names(snapshot, settings))}"
    )
