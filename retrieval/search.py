"""Nearest neighbours of items, vectors and mixtures of items, straight from the indices."""

from collections.abc import Sequence
from dataclasses import dataclass

from artifacts.errors import DeadlineError, ShelfmateError
from artifacts.relation import Relation
from retrieval.answer import Answer, Outcome, Shortfall, ShortfallReason
from retrieval.collector import Collector
from retrieval.deadline import Deadline
from retrieval.entry_band import entry_band
from retrieval.live import search_live
from retrieval.live_search import LiveSearch
from retrieval.near import Anchor, locate
from retrieval.plan import Plan
from retrieval.queries import NeighborQuery
from retrieval.state import ServingState


@dataclass(frozen=True, slots=True)
class NeighborTask:
    """What all entries of a batch have in common.

    Attributes:
        state: the snapshot.
        space: space that is searched.
        relation: what a neighbour means.
        plan: options of entries that set none.
        exact: compare with every vector instead of asking an index.
        debug: measure the similarity of each candidate.
        allow_partial: answer with what there is when the deadline passes.
    """

    state: ServingState
    space: str
    relation: Relation
    plan: Plan
    exact: bool = False
    debug: bool = False
    allow_partial: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry that waits for its search."""

    search: LiveSearch
    anchor: Anchor

    def outcome(self, *, debug: bool) -> Answer:
        reason = None if self.search.done else ShortfallReason.DEADLINE
        return self.search.collector.answer(skipped=self.anchor.skipped, reason=reason, debug=debug)


def search_neighbors(
    task: NeighborTask, queries: Sequence[NeighborQuery], deadline: Deadline
) -> tuple[list[Outcome], bool]:
    """Answer a batch; entries with equal needs share a call of the index.

    Args:
        task: what the entries have in common.
        queries: the entries.
        deadline: checked before each call of an index.

    Returns:
        One outcome for each entry, and whether the deadline cut some of them short.

    Raises:
        DeadlineError: the deadline passed and the caller wants no partial answer.
    """
    begun = [_begin(task, query) for query in queries]
    partial = False
    try:
        searches = [entry.search for entry in begun if isinstance(entry, _Entry)]
        search_live(task.state, searches, deadline)
    except DeadlineError:
        if not task.allow_partial:
            raise
        partial = True
    outcomes = [
        entry.outcome(debug=task.debug) if isinstance(entry, _Entry) else entry for entry in begun
    ]
    return outcomes, partial


def _begin(task: NeighborTask, query: NeighborQuery) -> _Entry | Outcome:
    try:
        plan = task.plan.overridden(query.options, path="options")
        anchor = locate(task.state, task.space, query.near, plan.unknown_items)
    except ShelfmateError as error:
        return error
    if anchor.query is None:
        shortfall = Shortfall(plan.k, 0, ShortfallReason.ALL_SKIPPED)
        return Answer((), shortfall, skipped=anchor.skipped)
    key = (task.space, task.relation)
    band = None
    if key in task.state.bands or plan.filter.near_duplicates is not None:
        category = task.state.category_of_rows(anchor.rows)
        band = entry_band(task.state, key, category, plan.filter)
    collector = Collector(plan, anchor.rows, anchor.query, band)
    index = task.state.indices[key]
    search = LiveSearch(collector, index, exact=task.exact)
    return _Entry(search, anchor)
