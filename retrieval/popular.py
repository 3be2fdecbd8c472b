"""What is popular, as the last source of candidates."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.relation import ScoreKind
from retrieval.candidates import Origin, Source
from retrieval.collector import Collector
from retrieval.entry_band import looked_at
from retrieval.filters import CompiledFilter
from retrieval.state import ServingState

ORIGIN = Origin(Source.POPULAR, ScoreKind.COUNT)

FIRST_CHUNK = 64
"""Rows judged at first; each further chunk is twice as long, so that most answers judge few."""


MOST_LOOKED_AT = 2_048
"""Rows measured where something is too close or too far. What so many more popular items leave no
room for is not what people want; and where most of a shop is too far from an item, each of its
answers would have all of it measured."""


def offer_popular(state: ServingState, collector: Collector, category: int | None) -> None:
    """Offer the most popular items of a category, then those of the shop.

    Args:
        state: the snapshot.
        collector: takes them until it is full.
        category: code of the query's top category, or None where it is unknown.

    Cost: O(k) without a filter, at most one pass over the shop's items with one. Where something is
    too close or too far, no more than some thousands are measured.
    """
    counts = np.asarray(state.snapshot.catalog.popularity)
    ahead = seen = 0
    for rows in _lists(state, collector.plan.filter, category):
        start, length = 0, FIRST_CHUNK
        while collector.missing > 0 and start < len(rows) and seen < MOST_LOOKED_AT:
            length = length if collector.band is None else min(length, MOST_LOOKED_AT - seen)
            chunk = rows[start : start + length]
            verdicts = collector.judge(chunk)
            collector.take(chunk, counts[chunk].astype(np.float32), verdicts, ORIGIN, ahead)
            start, length, ahead = start + length, 2 * length, ahead + len(chunk)
            seen += looked_at(verdicts) if collector.band is not None else 0


def _lists(
    state: ServingState, filter: CompiledFilter, category: int | None
) -> Iterator[IntVector]:
    """Give the category's own list if it may appear, then all others in one."""
    popularity = state.snapshot.popularity
    codes = np.asarray(state.snapshot.catalog.category_codes)
    if category is not None and (filter.allowed is None or filter.allowed[category]):
        yield np.asarray(popularity.in_category(category))
    if filter.allowed is None:
        rest = np.asarray(popularity.overall())
    else:
        rest = _merged(state, np.flatnonzero(filter.allowed))
    # What the first list held is not judged again, or its removals would count twice.
    yield rest if category is None else rest[codes[rest] != category]


def _merged(state: ServingState, allowed: NDArray[np.intp]) -> IntVector:
    """Return the rows of several categories in one list, most popular first, ties by row."""
    popularity = state.snapshot.popularity
    rows = np.concatenate([np.asarray(popularity.in_category(int(code))) for code in allowed])
    counts = np.asarray(state.snapshot.catalog.popularity)[rows]
    order: IntVector = rows[np.lexsort((rows, -counts))]
    return order
