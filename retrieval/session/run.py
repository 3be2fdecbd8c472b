"""User to item by what was just visited: a batch of sessions."""

from collections.abc import Sequence

from artifacts.errors import DeadlineError, RequestError, ShelfmateError, UnknownItemError
from retrieval.answer import Answer, Outcome, Shortfall, ShortfallReason
from retrieval.live_search import LiveSearch
from retrieval.queries import SessionQuery, UnknownItemPolicy
from retrieval.session.entry import SessionEntry
from retrieval.session.task import SessionTask
from retrieval.session.visited import visited_rows
from retrieval.state import ServingState


class SessionRun:
    """One batch on its way: look-ups at once, searches by `retrieval.together`.

    Attributes:
        is_degraded: less was done for an entry than was asked, because of the server's load.
        is_partial: the deadline passed and some entries hold what was ready by then.
    """

    __slots__ = ("_outcomes", "_task", "_waiting", "is_degraded", "is_partial")

    def __init__(self, task: SessionTask, queries: Sequence[SessionQuery]) -> None:
        self._task = task
        self._waiting: dict[int, SessionEntry] = {}
        self.is_degraded = False
        self.is_partial = False
        self._outcomes = [self._begin(place, query) for place, query in enumerate(queries)]

    @property
    def state(self) -> ServingState:
        """The snapshot."""
        return self._task.state

    @property
    def pending(self) -> bool:
        """Whether an entry waits for a search or for a step that takes longer than a look-up."""
        return bool(self._waiting)

    @property
    def searches(self) -> Sequence[LiveSearch]:
        """Those that entries wait for."""
        return [search for entry in self._waiting.values() for search in entry.searches]

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """One for each entry, in their order."""
        assert not self._waiting, "bug: outcomes were read before the searches were run"
        return [outcome for outcome in self._outcomes if outcome is not None]

    def go_on(self, expired: DeadlineError | None = None) -> None:
        """Complete the entries from what was found, as far as the next searches.

        Args:
            expired: the deadline passed.

        Raises:
            DeadlineError: `expired`, where the caller wants no partial answer.
        """
        if expired is not None:
            if not self._task.allow_partial:
                raise expired
            self.is_partial = True
        for place, entry in list(self._waiting.items()):
            outcome = self._go_on(entry)
            if outcome is not None:
                self._outcomes[place] = outcome
                del self._waiting[place]

    def _begin(self, place: int, query: SessionQuery) -> Outcome | None:
        """Answer an entry if that takes no search, or leave it waiting."""
        try:
            return self._open(place, query)
        except ShelfmateError as error:
            return error

    def _open(self, place: int, query: SessionQuery) -> Answer | None:
        task = self._task
        plan = task.plan.overridden(query.options, path="options")
        if not query.visits:
            raise RequestError(
                "visits: expected at least one, got none", field="visits", reason="NO_VISITS"
            )
        visited = visited_rows(task.state.snapshot.items, query.visits, task.config)
        if not len(visited.rows) and plan.unknown_items is not UnknownItemPolicy.FALL_BACK:
            if plan.unknown_items is UnknownItemPolicy.FAIL:
                raise _all_unknown(visited.skipped)
            shortfall = Shortfall(plan.k, 0, ShortfallReason.ALL_SKIPPED)
            return Answer((), shortfall, skipped=visited.skipped)
        entry = SessionEntry(task, plan, visited)
        is_complete = entry.advance(at_once=True)
        self.is_degraded |= entry.is_degraded
        if is_complete:
            return entry.answer()
        self._waiting[place] = entry
        return None

    def _go_on(self, entry: SessionEntry) -> Outcome | None:
        """Return what became of an entry after its searches, or None if it needs further ones."""
        try:
            if not (self.is_partial and entry.waits) and entry.advance():
                return entry.answer()
            return entry.answer(ShortfallReason.DEADLINE) if self.is_partial else None
        except ShelfmateError as error:
            return error


def _all_unknown(skipped: Sequence[str]) -> UnknownItemError:
    return UnknownItemError(
        f"visits: expected an item of the snapshot among them, got {skipped[0]!r} and no known one",
        field="visits[0].item_id",
    )
