"""One entry that waits for a search, and what it makes of the hits."""

from collections.abc import Callable

import numpy as np

from artifacts.arrays import FloatVector, IntVector
from artifacts.relation import Relation
from indexer.space_index import SpaceIndex
from retrieval.answer import Stage
from retrieval.candidates import Source
from retrieval.collector import Collector

SMALLEST_FETCH = 16
"""Buckets of k are powers of two from here, so that entries with nearly equal k share a call."""

EXACT_ROWS = 16_384
"""Where a filter leaves no more rows than this, scoring all of them costs a few milliseconds, no
more than widening a search once or twice, and is exact."""

WIDENING_MARGIN = 2.0
"""How many times the expected number of hits is fetched when a filter's share is known."""

ROUNDING = 1e-5
"""Two ways to compute a float32 cosine differ by less."""


class LiveSearch:
    """Widens a search until enough rows pass, or until nothing is left.

    Args:
        collector: takes the hits; has a query vector.
        index: what is searched.
        own_category: stay within it where the index is cut by category and the filter allows all.
        exact: compare with every vector.

    Attributes:
        categories: parts of the index that are searched; empty where it is whole or all are.
        done: the collector has what there is.
    """

    __slots__ = ("bucket", "categories", "collector", "done", "exact", "index")

    def __init__(
        self,
        collector: Collector,
        index: SpaceIndex,
        *,
        own_category: str | None = None,
        exact: bool = False,
    ) -> None:
        self.collector = collector
        self.index = index
        self.exact = exact
        wanted = collector.plan.filter.categories or ((own_category,) if own_category else ())
        self.categories = tuple(name for name in wanted if name in index.categories)
        # The space may have no vector in any of the categories that are wanted.
        self.done = bool(wanted) and not index.is_whole and not self.categories
        fetch = collector.missing + collector.spare
        self.bucket = bucket_of(fetch if collector.plan.is_open else 2 * fetch)

    @property
    def needs(self) -> tuple[object, ...]:
        """What searches must have in common to share a call."""
        place = (self.exact, self.index.space, self.index.relation, self.categories)
        return (*place, id(self.collector.plan.filter) if self.exact else self.bucket)

    def receive(self, rows: IntVector, scores: FloatVector, count_left: Callable[[], int]) -> None:
        """Take an index's hits, or ask for more of them, or for an exact search.

        Args:
            rows: (bucket,) hits, best first, padded.
            scores: (bucket,) their scores.
            count_left: counts the rows that the filter leaves; called only where it matters.
        """
        hits = int(np.count_nonzero(rows >= 0))
        rows, scores = rows[:hits], scores[:hits]
        verdicts = self.collector.judge(rows)
        passed = int(np.count_nonzero(verdicts == Stage.PASSED))
        ran_dry = hits < self.bucket
        enough = passed >= self.collector.missing or self._beyond_reach(scores)
        if not enough and not (ran_dry and self.collector.plan.is_open):
            left = count_left()
            # An approximate index may run dry before its rows do: a scan finds the rest.
            if left <= max(EXACT_ROWS, 2 * self.bucket) and not (ran_dry and passed == left):
                self.exact = True
                return
            if not ran_dry:
                self.bucket = self._widened(left)
                return
        self.collector.take(rows, scores, verdicts, Source.LIVE, self.index.relation.score_kind)
        self.done = True

    def _beyond_reach(self, scores: FloatVector) -> bool:
        """Tell whether all further hits are below the minimum similarity."""
        least = self.collector.plan.filter.min_similarity
        if least is None or self.index.relation is not Relation.ALTERNATIVES or not len(scores):
            return False
        return bool(scores[-1] < least - ROUNDING)

    def _widened(self, left: int) -> int:
        """Return a bucket at least twice as large, as large as the filter's share suggests."""
        expected = self.collector.missing * len(self.index) / max(left, 1) + self.collector.spare
        return bucket_of(max(2 * self.bucket, int(WIDENING_MARGIN * expected)))


def bucket_of(k: int) -> int:
    """Return the smallest bucket that holds k."""
    return max(SMALLEST_FETCH, 1 << (k - 1).bit_length())
