"""What a table of sessions says of all visits together."""

import numpy as np

from retrieval.candidates import Origin
from retrieval.collector import Collector
from retrieval.live_search import LiveSearch
from retrieval.session.visited import Visited
from retrieval.visit_source import VisitSource


class VisitList:
    """The ranking of a source that looks up instead of searching.

    Args:
        source: ranks items for visits.
        visited: the visits.
        collector: takes the items.
        takes_long: it is no matter of look-ups alone.

    Attributes:
        collector: holds what was found.
        search: never set: nothing is searched.
    """

    __slots__ = ("_done", "_source", "_takes_long", "_visited", "collector", "search")

    def __init__(
        self, source: VisitSource, visited: Visited, collector: Collector, *, takes_long: bool
    ) -> None:
        self._source = source
        self._takes_long = takes_long
        self._visited = visited
        self._done = False
        self.collector = collector
        self.search: LiveSearch | None = None

    @property
    def is_degraded(self) -> bool:
        """Never: it is made whole or left out."""
        return False

    def advance(self, *, at_once: bool = False) -> bool:
        """Rank and judge, unless that takes too long now."""
        if at_once and self._takes_long and not self._done:
            return False
        if not self._done:
            self._done = True
            self._collect()
        return True

    def _collect(self) -> None:
        visited, plan = self._visited, self.collector.plan
        n = self.collector.missing + self.collector.spare
        if not plan.is_open or self.collector.band is not None:
            n = len(plan.filter.state.snapshot.items)
        weights = visited.trail_weights.astype(np.float32)
        rows, scores, source, kind = self._source.rank(visited.trail, weights, n)
        verdicts = self.collector.judge(rows)
        self.collector.take(rows, scores, verdicts, Origin(source, kind))
