"""What one serving process serves, and whether it still does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from artifacts.errors import NotReadyError, OverloadedError
from retrieval.recommender import Recommender
from retrieval.state import ServingState
from server.recorded_queries import RecordedQueries


class WorkerState(StrEnum):
    """Where a worker stands in its life."""

    LOADING = "loading"
    SERVING = "serving"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which process this is."""

    version: str
    pid: int
    started_at: datetime
    index: int = 0


@dataclass(frozen=True, slots=True)
class Activation:
    """A snapshot in service, and since when."""

    recommender: Recommender
    at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A snapshot that could not take over, and why."""

    snapshot_id: str
    reason: str
    at: datetime


def _as_it_is(state: ServingState) -> ServingState:
    return state


def _unseen(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who is told what happens to a worker.

    Attributes:
        activated: told of each snapshot that is put in service.
        refused: told of each that could not be.
        watched: puts something around a snapshot before it serves.
    """

    activated: Callable[[Recommender], None] = _unseen
    refused: Callable[[], None] = _unseen
    watched: Callable[[ServingState], ServingState] = _as_it_is


UNWATCHED = Watchers()


class Worker:
    """Holds the recommender in service; belongs to the thread of the event loop.

    Attributes:
        identity: which process this is.
        watchers: told what happens.
        activation: the snapshot in service; None before one is ready. A call reads it once and
            keeps what it read, so that it sees one snapshot from start to end.
        recorded: what callers have asked lately, to try the next snapshot with.
        refusal: the snapshot that was to take over last and could not; None once one could.
        state: where the worker stands in its life.
    """

    def __init__(
        self, identity: Identity, *, max_calls: int, watchers: Watchers = UNWATCHED
    ) -> None:
        self.identity = identity
        self.watchers = watchers
        self._max_calls = max_calls
        self.activation: Activation | None = None
        self.recorded = RecordedQueries()
        self.refusal: Refusal | None = None
        self.state = WorkerState.LOADING
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def activate(self, recommender: Recommender, *, now: datetime) -> None:
        """Put a loaded and warm snapshot in service."""
        self.activation = Activation(recommender, now)
        self.refusal = None
        if self.state is WorkerState.LOADING:
            self.state = WorkerState.SERVING
        self.watchers.activated(recommender)

    def refuse(self, refusal: Refusal) -> None:
        """Note a snapshot that cannot take over."""
        self.refusal = refusal
        self.watchers.refused()

    @property
    def is_full(self) -> bool:
        """Whether as many calls are in flight as the worker takes on."""
        return self._calls >= self._max_calls

    def begin_call(self) -> Recommender:
        """Count a call in; `end_call` has to follow.

        Raises:
            NotReadyError: no snapshot is loaded yet, or the worker is draining.
            OverloadedError: as many calls are in flight as the worker takes on.
        """
        if self.state is WorkerState.DRAINING:
            raise NotReadyError("the server is draining; ask another one")
        if self.activation is None:
            raise NotReadyError("no snapshot is loaded yet; try again in a moment")
        if self.is_full:
            raise OverloadedError(f"{self._calls} calls are in flight; try again in a moment")
        self._calls += 1
        return self.activation.recommender

    def end_call(self) -> None:
        """Count a call out."""
        self._calls -= 1
        if self._calls == 0:
            self._idle.set()

    async def drain(self, within_s: float) -> bool:
        """Refuse new calls, and tell whether those in flight ended within `within_s` seconds."""
        self.state = WorkerState.DRAINING
        if not self._calls:
            return True
        self._idle.clear()
        try:
            await asyncio.wait_for(self._idle.wait(), within_s)
        except TimeoutError:
            return False
        return True
