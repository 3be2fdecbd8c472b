"""Nearest neighbours of items, vectors and mixtures of items, straight from the indices."""

from collections.abc import Sequence
from dataclasses import dataclass

from artifacts.errors import DeadlineError, OverloadedError, ShelfmateError
from artifacts.relation import Relation
from retrieval.answer import Answer, Outcome, Shortfall, ShortfallReason
from retrieval.collector import Collector
from retrieval.effort import Effort
from retrieval.entry_band import entry_band
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


class NeighborRun:
    """One batch on its way: its entries are read when it is made, and searched for together.

    Attributes:
        is_degraded: a search does less than was asked, because of the server's load.
        is_partial: the deadline passed and some entries hold what was ready by then.
    """

    __slots__ = ("_begun", "_ended", "_task", "is_degraded", "is_partial", "searches")

    def __init__(self, task: NeighborTask, queries: Sequence[NeighborQuery]) -> None:
        """Read the entries.

        Raises:
            OverloadedError: the server leaves out such searches while many calls wait.
        """
        self._task = task
        _check_effort(task)
        self._begun = [_begin(task, query) for query in queries]
        self.searches = [entry.search for entry in self._begun if isinstance(entry, _Entry)]
        self._ended = not self.searches
        self.is_degraded = any(search.collector.plan.is_lowered for search in self.searches)
        self.is_partial = False

    @property
    def state(self) -> ServingState:
        """The snapshot."""
        return self._task.state

    @property
    def pending(self) -> bool:
        """Whether an entry waits for its search."""
        return not self._ended

    @property
    def outcomes(self) -> list[Outcome]:
        """One for each entry, in their order."""
        assert self._ended, "bug: outcomes were read before the searches were run"
        return [
            entry.outcome(debug=self._task.debug) if isinstance(entry, _Entry) else entry
            for entry in self._begun
        ]

    def go_on(self, expired: DeadlineError | None = None) -> None:
        """Take note that the searches are done, or that the deadline passed before they were.

        Raises:
            DeadlineError: `expired`, where the caller wants no partial answer.
        """
        if expired is not None:
            if not self._task.allow_partial:
                raise expired
            self.is_partial = True
        self._ended = True


def _check_effort(task: NeighborTask) -> None:
    if task.plan.effort is Effort.LISTS:
        raise OverloadedError("the server answers from lists alone while many calls wait")
    if task.exact and task.plan.effort is Effort.FAST:
        raise OverloadedError("the server runs no exact search while many calls wait")


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
