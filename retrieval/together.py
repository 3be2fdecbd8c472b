"""Batches of several callers on one way, so that their searches share calls of an index."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from artifacts.errors import DeadlineError
from retrieval.deadline import Deadline
from retrieval.live import search_live, search_once
from retrieval.live_search import LiveSearch
from retrieval.state import ServingState


class Run(Protocol):
    """A batch that goes on whenever the searches that it waits for have been run."""

    @property
    def state(self) -> ServingState:
        """The snapshot that answers."""
        ...

    @property
    def pending(self) -> bool:
        """Whether an entry still waits."""
        ...

    @property
    def searches(self) -> Sequence[LiveSearch]:
        """What has to be run, done or not; may be empty while an entry waits for a longer step."""
        ...

    def go_on(self, expired: DeadlineError | None = None) -> None:
        """Take what the searches found, as far as the next ones.

        Args:
            expired: the deadline passed: what is not done stays undone, and nothing waits any more.

        Raises:
            DeadlineError: `expired`, where the caller wants no partial answer.
        """
        ...


class Member(NamedTuple):
    """A run among others."""

    run: Run
    """The batch; all members have one state."""
    deadline: Deadline
    """How long its caller waits."""


def finish(run: Run, deadline: Deadline) -> None:
    """Take a run to its end, alone.

    Raises:
        DeadlineError: the deadline passed and the caller wants no partial answer.
    """
    while run.pending:
        expired = None
        try:
            deadline.check("search")
            search_live(run.state, run.searches, deadline)
        except DeadlineError as error:
            expired = error
        run.go_on(expired)


def finish_together(members: Sequence[Member]) -> Iterator[tuple[int, Exception | None]]:
    """Take several runs to their ends, searching for all of them at once.

    What a run finds is what it finds alone: members share calls of an index, never hits. A run that
    fails takes no other one with it.

    Args:
        members: runs of one state, each small enough to wait for the others.

    Yields:
        The place of each member as soon as it has ended, and the error that ended it, if any.
    """
    active = {place: member for place, member in enumerate(members) if member.run.pending}
    yield from ((place, None) for place in range(len(members)) if place not in active)
    while active:
        failed = _round(active)
        for place, member in list(active.items()):
            error = failed.get(place) or _advance(member)
            if error is not None or not member.run.pending:
                del active[place]
                yield place, error


def _round(active: dict[int, Member]) -> dict[int, Exception]:
    """Look once for each search that is not done, and return what befell whom."""
    wanted = {place: _wanted(member) for place, member in active.items()}
    searches = [search for of_one in wanted.values() for search in of_one]
    if not searches:
        return {}
    state = next(iter(active.values())).run.state
    try:
        search_once(state, searches)
    except Exception:
        return _apart(state, wanted)
    return {}


def _apart(state: ServingState, wanted: dict[int, list[LiveSearch]]) -> dict[int, Exception]:
    """Find out whose searches fail."""
    failed: dict[int, Exception] = {}
    for place, searches in wanted.items():
        try:
            search_once(state, [search for search in searches if not search.done])
        except Exception as error:
            failed[place] = error
    return failed


def _wanted(member: Member) -> list[LiveSearch]:
    if member.deadline.passed:
        return []
    return [search for search in member.run.searches if not search.done]


def _advance(member: Member) -> Exception | None:
    """Let a run go on if it can, and return what ended it, if anything did."""
    searches, expired = member.run.searches, None
    if not searches or not all(search.done for search in searches):
        if member.deadline.passed:
            expired = member.deadline.error("search")
        elif searches:
            return None
    try:
        member.run.go_on(expired)
    except Exception as error:
        return error
    return None
