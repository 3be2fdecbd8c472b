"""One entry that waits for a search, and what it makes of the hits."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.neighbors import PAD_ROW
from artifacts.relation import Relation
from indexer.space_index import SpaceIndex
from retrieval.answer import Stage
from retrieval.candidates import Origin, PlainList, Source
from retrieval.collector import Collector
from retrieval.entry_band import looked_at
from retrieval.query_vector import QueryVector

SMALLEST_FETCH = 16
"""Buckets of k are powers of two from here, so that entries with nearly equal k share a call."""

EXACT_ROWS = 16_384
"""Where a filter leaves no more rows than this, scoring all of them costs a few milliseconds, no
more than widening a search once or twice, and is exact."""

LEAST_SPARE = 4
"""Hits asked for beyond k, or a quarter of k where that is more, where some may be too close."""

WIDENING_MARGIN = 2.0
"""How many times the expected number of hits is fetched when a filter's share is known."""

ROUNDING = 1e-5
"""Two ways to compute a float32 cosine differ by less."""


class Target(NamedTuple):
    """What is searched for, where that is not neighbours of the query itself."""

    query: QueryVector
    """The vector that asks."""
    origin: Origin
    """Where the hits come from."""
    apart: tuple[int, ...] = ()
    """Rows that are no answer, such as the item whose vector asks."""


class LiveSearch:
    """Widens a search until enough rows pass, or until nothing is left.

    Args:
        collector: takes the hits.
        index: what is searched.
        target: what is searched for; None for neighbours of the collector's query.
        own_category: stay within it where the index is cut by category and the filter allows all.
        exact: compare with every vector.

    Attributes:
        query: the vector that asks.
        origin: where the hits come from.
        spare: how many hits may be lost to the query, to what stands apart and to earlier sources.
        categories: parts of the index that are searched; empty where it is whole or all are.
        done: the collector has what there is.
    """

    __slots__ = (
        "_apart",
        "bucket",
        "categories",
        "collector",
        "done",
        "exact",
        "index",
        "origin",
        "query",
        "spare",
    )

    def __init__(
        self,
        collector: Collector,
        index: SpaceIndex,
        *,
        target: Target | None = None,
        own_category: str | None = None,
        exact: bool = False,
    ) -> None:
        if target is None:
            assert collector.query is not None, "bug: a search without a query vector"
            target = Target(collector.query, Origin(Source.LIVE, index.relation.score_kind))
        self.collector = collector
        self.index = index
        self.query, self.origin, self._apart = target
        self.spare = collector.spare + len(self._apart)
        self.exact = exact
        wanted = collector.plan.filter.categories or ((own_category,) if own_category else ())
        self.categories = tuple(name for name in wanted if name in index.categories)
        # The space may have no vector in any of the categories that are wanted.
        self.done = bool(wanted) and not index.is_whole and not self.categories
        fetch = collector.missing + self.spare
        if collector.band is not None:
            fetch += max(LEAST_SPARE, collector.missing // 4)
        self.bucket = self._bounded(bucket_of(fetch if collector.plan.is_open else 2 * fetch))

    @property
    def needs(self) -> tuple[object, ...]:
        """What searches must have in common to share a call."""
        plan = self.collector.plan
        place = (self.exact, self.index.space, self.index.relation, self.categories)
        return (*place, id(plan.filter)) if self.exact else (*place, self.bucket, plan.accuracy)

    def judge(self, rows: IntVector) -> NDArray[np.int8]:
        """Say of each row which `Stage` removes it, 0 if none does."""
        return self.collector.judge(rows, aside=self._apart, asking=self.query)

    @property
    def most(self) -> int:
        """Hits looked at before the answer is left short, where something is too close or far."""
        band = self.collector.band
        assert band is not None, "bug: nothing bounds a search without a band"
        return max(band.most_hits, self.collector.missing + self.spare)

    def receive(self, rows: IntVector, scores: FloatVector, count_left: Callable[[], int]) -> None:
        """Take an index's hits, or ask for more of them, or for an exact search.

        Args:
            rows: (bucket,) hits, best first, padded.
            scores: (bucket,) their scores.
            count_left: counts the rows that the filter leaves; called only where it matters.
        """
        if self._receive_plain(rows, scores):
            return
        hits = int(np.count_nonzero(rows >= 0))
        rows, scores = rows[:hits], scores[:hits]
        verdicts = self.judge(rows)
        passed = int(np.count_nonzero(verdicts == Stage.PASSED))
        ran_dry = hits < self.bucket
        enough = passed >= self.collector.missing or self._has_no_more(scores, verdicts)
        if not enough and not (ran_dry and self.collector.plan.is_open):
            left = count_left()
            # An approximate index may run dry before its rows do: a scan finds the rest.
            if left <= max(EXACT_ROWS, 2 * self.bucket) and not (ran_dry and passed == left):
                self.exact = True
                return
            if not ran_dry:
                self.bucket = self._bounded(bucket_of(self._needed(left, passed)))
                return
        self.collector.take(rows, scores, verdicts, self.origin)
        self.done = True

    def _receive_plain(self, rows: IntVector, scores: FloatVector) -> bool:
        """Take hits that need no judging, as nearly all do, and tell whether there were enough.

        Does with two short lists what takes a dozen small arrays otherwise.
        """
        collector, kind = self.collector, self.origin.kind
        if not collector.takes_plain or self.origin.anchor != PAD_ROW:
            return False
        own, wanted = {*collector.own, *self._apart}, collector.plan.k
        listed: list[int] = rows[: wanted + len(own)].tolist()
        places = [place for place, row in enumerate(listed) if row not in own and row >= 0][:wanted]
        if len(places) < wanted:
            return False
        lost = places[-1] + 1 - wanted
        ranks = [place + 1 for place in places]
        chosen = scores[places] if lost else scores[:wanted]
        kept = [listed[place] for place in places]
        plain = PlainList(kept, chosen.tolist(), kind, self.origin.source, ranks)
        collector.take_plain(plain, lost)
        self.done = True
        return True

    def _has_no_more(self, scores: FloatVector, verdicts: NDArray[np.int8]) -> bool:
        """Tell whether no further hit can pass, or whether enough of them were looked at."""
        if self.collector.band is None:
            return self._beyond_reach(scores)
        seen = len(scores) if self.collector.plan.is_open else looked_at(verdicts)
        return seen >= self.most or self._beyond_reach(scores)

    def _beyond_reach(self, scores: FloatVector) -> bool:
        """Tell whether all further hits are below the minimum similarity."""
        least = self._least()
        if least is None or self.query is not (self.collector.query or self.query):
            return False  # likeness is measured to the query, scores to something else
        if self.index.relation is not Relation.ALTERNATIVES or not len(scores):
            return False
        return bool(scores[-1] < least - ROUNDING)

    def _least(self) -> float | None:
        """Return the minimum similarity, of the filter or of the band."""
        least, band = self.collector.plan.filter.min_similarity, self.collector.band
        if band is None:
            return least
        return band.least if least is None else max(band.least, least)

    def _bounded(self, bucket: int) -> int:
        """Return how many hits are fetched, where they are all looked at no more than `most`."""
        if self.collector.band is None or not self.collector.plan.is_open:
            return bucket
        return min(bucket, self.most)

    def _needed(self, left: int, passed: int) -> int:
        """Return how many hits to ask for: twice as many, or more where few are known to pass."""
        missing = self.collector.missing
        by_filter = WIDENING_MARGIN * (missing * len(self.index) / max(left, 1) + self.spare)
        # What a band lets pass is known from the hits alone.
        by_band = missing * self.bucket // max(passed, 1) if self.collector.band is not None else 0
        return max(2 * self.bucket, int(by_filter), by_band)


def bucket_of(k: int) -> int:
    """Return the smallest bucket that holds k."""
    return max(SMALLEST_FETCH, 1 << (k - 1).bit_length())
