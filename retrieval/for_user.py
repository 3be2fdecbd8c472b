"""User to item: what to show to a shopper."""

from collections.abc import Sequence

import numpy as np

from artifacts.arrays import IntVector
from artifacts.errors import DeadlineError, ShelfmateError, UnknownUserError
from artifacts.neighbors import PAD_ROW
from retrieval.answer import Answer, Outcome, Shortfall, ShortfallReason
from retrieval.collector import Collector
from retrieval.effort import Effort
from retrieval.item_ids import checked_id
from retrieval.live_search import LiveSearch
from retrieval.plan import Plan
from retrieval.popular import offer_popular
from retrieval.queries import SessionQuery, UnknownItemPolicy, UserQuery
from retrieval.session.run import SessionRun
from retrieval.session.visited import Visited, visited_rows
from retrieval.state import ServingState
from retrieval.user_entry import Shopper, UserEntry
from retrieval.user_space import Visits
from retrieval.user_task import UserTask


class UserRun:
    """One batch of shoppers on its way.

    A shopper whom training knew is asked for by the stored vector. Any other one by a vector solved
    from the visits of the call, else as a session, else by what is popular.

    Attributes:
        is_degraded: less was done for an entry than was asked, because of the server's load.
        is_partial: the deadline passed and some entries hold what was ready by then.
    """

    __slots__ = (
        "_as_sessions",
        "_outcomes",
        "_sessions",
        "_task",
        "_waiting",
        "is_degraded",
        "is_partial",
    )

    def __init__(self, task: UserTask, queries: Sequence[UserQuery]) -> None:
        self._task = task
        self._waiting: dict[int, UserEntry] = {}
        self._as_sessions: dict[int, SessionQuery] = {}
        self.is_degraded = False
        self.is_partial = False
        self._outcomes = [self._begin(place, query) for place, query in enumerate(queries)]
        self._sessions: SessionRun | None = None
        if self._as_sessions:
            self._sessions = SessionRun(task.session, list(self._as_sessions.values()))
            self.is_degraded |= self._sessions.is_degraded

    @property
    def state(self) -> ServingState:
        """The snapshot."""
        return self._task.state

    @property
    def pending(self) -> bool:
        """Whether an entry waits for a search or for its vector."""
        return bool(self._waiting) or (self._sessions is not None and self._sessions.pending)

    @property
    def searches(self) -> Sequence[LiveSearch]:
        """Those that entries wait for; an entry may wait for its vector instead."""
        own = [entry.search for entry in self._waiting.values() if entry.search]
        return own if self._sessions is None else [*own, *self._sessions.searches]

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """One for each entry, in their order; no entry may be waiting."""
        assert not self._waiting, "bug: outcomes were read before the searches were run"
        if self._sessions is not None:
            for place, outcome in zip(self._as_sessions, self._sessions.outcomes, strict=True):
                self._outcomes[place] = outcome
        return [outcome for outcome in self._outcomes if outcome is not None]

    def go_on(self, expired: DeadlineError | None = None) -> None:
        """Solve vectors that are wanted, and complete the entries whose searches are done.

        Args:
            expired: the deadline passed.

        Raises:
            DeadlineError: `expired`, where the caller wants no partial answer.
        """
        if expired is not None:
            if not self._task.session.allow_partial:
                raise expired
            self.is_partial = True
        if self._sessions is not None and self._sessions.pending:
            self._sessions.go_on(expired)
        for place, entry in list(self._waiting.items()):
            outcome = self._go_on(entry)
            if outcome is not None:
                self._outcomes[place] = outcome
                del self._waiting[place]

    def _go_on(self, entry: UserEntry) -> Outcome | None:
        """Return what became of an entry, or None if it has to wait for its search."""
        waits = entry.search is None or not entry.search.done
        try:
            if not (self.is_partial and waits) and entry.advance():
                return entry.answer()
            return entry.answer(ShortfallReason.DEADLINE) if self.is_partial else None
        except ShelfmateError as error:
            return error

    def _begin(self, place: int, query: UserQuery) -> Outcome | None:
        """Answer an entry if that takes no search, or leave it waiting."""
        try:
            return self._open(place, query)
        except ShelfmateError as error:
            return error

    def _open(self, place: int, query: UserQuery) -> Answer | None:
        task = self._task
        plan = task.plan.overridden(query.options, path="options")
        row = task.users.users.row(checked_id(query.user_id, path="user_id"))
        visited = visited_rows(task.state.snapshot.items, query.visits, task.visits)
        if row == PAD_ROW and plan.unknown_items is UnknownItemPolicy.FAIL:
            raise UnknownUserError("user_id: expected a user of the snapshot", field="user_id")
        shopper = Shopper(
            row, self._foldable(visited), self._own(row, visited, query), visited.skipped
        )
        if row != PAD_ROW or len(shopper.visits.rows):
            return self._search(place, plan, shopper)
        if len(visited.rows):
            self._as_sessions[place] = SessionQuery(query.visits, query.options)
            return None
        return self._without_anything(plan, shopper)

    def _search(self, place: int, plan: Plan, shopper: Shopper) -> Answer | None:
        """Leave an entry waiting for its search, or do without one under load."""
        self.is_degraded |= plan.is_lowered or plan.effort is Effort.LISTS
        if plan.effort is Effort.LISTS:
            return self._popular(plan, shopper)
        self._waiting[place] = UserEntry(self._task, plan, shopper)
        return None

    def _foldable(self, visited: Visited) -> Visits:
        """Return the visits that a vector can be solved from."""
        liked = visited.weights > 0
        rows, weights = visited.rows[liked], visited.weights[liked].astype(np.float32)
        known = self._task.users.items.positions(rows) >= 0
        return Visits(rows[known], weights[known])

    def _own(self, row: int, visited: Visited, query: UserQuery) -> tuple[int, ...]:
        """Return the items that are left out: those just visited, and the history if asked for."""
        if row == PAD_ROW or not query.exclude_history:
            return visited.own
        taken: IntVector = self._task.users.users.taken(row)[0]
        return tuple(np.union1d(taken, visited.rows).tolist())

    def _without_anything(self, plan: Plan, shopper: Shopper) -> Answer:
        """Return what a shopper gets of whom nothing is known."""
        if plan.unknown_items is UnknownItemPolicy.SKIP:
            shortfall = Shortfall(plan.k, 0, ShortfallReason.ALL_SKIPPED)
            return Answer((), shortfall, skipped=shopper.skipped)
        return self._popular(plan, shopper)

    def _popular(self, plan: Plan, shopper: Shopper) -> Answer:
        collector = Collector(plan, shopper.own, None)
        if self._task.fills_up:
            offer_popular(self._task.state, collector, None)
        return collector.answer(skipped=shopper.skipped, debug=self._task.session.debug)
