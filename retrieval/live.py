"""Searches in indices while the caller waits; those with equal needs share a call."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from retrieval.deadline import Deadline
from retrieval.exact import search_exactly
from retrieval.filters import CompiledFilter
from retrieval.live_search import LiveSearch
from retrieval.scope import SearchScope
from retrieval.state import ServingState


def search_live(state: ServingState, searches: Sequence[LiveSearch], deadline: Deadline) -> None:
    """Run searches to their end.

    Args:
        state: the snapshot.
        searches: each is marked as done once its collector has what there is.
        deadline: checked before each call of an index.

    Raises:
        DeadlineError: the deadline passed; the searches not yet done are left as they are.
    """
    while waiting := [search for search in searches if not search.done]:
        search_once(state, waiting, partial(deadline.check, "search"))


def search_once(
    state: ServingState, searches: Sequence[LiveSearch], check: Callable[[], None] | None = None
) -> None:
    """Give each of the searches one look into its index, or a scan where it asked for one.

    Args:
        state: the snapshot.
        searches: none of them done; each is done afterwards or has asked for more.
        check: called before each call of an index; what it raises ends the round.
    """
    groups: dict[tuple[object, ...], list[LiveSearch]] = defaultdict(list)
    for search in searches:
        groups[search.needs].append(search)
    for group in groups.values():
        if check is not None:
            check()
        scope = SearchScope(state, group[0].index.space, group[0].categories)
        if group[0].exact:
            _scan(state, group, scope)
        else:
            _search(group, scope)


def _scan(state: ServingState, group: Sequence[LiveSearch], scope: SearchScope) -> None:
    table = state.snapshot.spaces[scope.space]
    search_exactly(table, scope, group)
    for search in group:
        search.done = True


def _search(group: Sequence[LiveSearch], scope: SearchScope) -> None:
    hits = group[0].index.search(
        np.stack([search.query.values for search in group]),
        group[0].bucket,
        categories=scope.categories or None,
        accuracy=group[0].collector.plan.accuracy,
    )
    left: dict[int, int] = {}  # by filter: most entries of a batch share one

    def count_left(filter: CompiledFilter) -> int:
        if id(filter) not in left:
            left[id(filter)] = scope.rows_left(filter)
        return left[id(filter)]

    for search, rows, scores in zip(group, hits.rows, hits.scores, strict=True):
        search.receive(rows, scores, partial(count_left, search.collector.plan.filter))
