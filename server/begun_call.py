"""A call after its look-ups."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from artifacts.errors import RequestError
from retrieval.answer import BatchAnswer
from retrieval.begun import Begun
from retrieval.effort import Effort
from retrieval.queries import SessionBatch, UserBatch
from retrieval.recommender import Recommender
from retrieval.together import Run
from server.convert import (
    Converted,
    Report,
    session_batch,
    session_response,
    user_batch,
    user_response,
)

Request = TypeVar("Request")
Response = TypeVar("Response")
B = TypeVar("B", bound=SessionBatch | UserBatch)


class BegunCall(NamedTuple, Generic[Response]):
    """A call after its look-ups.

    A tuple, as all that is made once for every call.
    """

    begun: Begun
    """What is left to do."""
    faults: Mapping[int, RequestError]
    """What is wrong with an entry, by place."""
    report: Report
    """What the response says about itself."""
    timings: dict[str, int]
    """Nanoseconds by stage, filled as stages end."""
    write: Callable[[BatchAnswer, Mapping[int, RequestError], Report], Response]
    """Writes the response."""

    @property
    def pending(self) -> bool:
        """Whether an entry waits for a search."""
        return self.begun.pending

    def waiting(self) -> Iterator[Run]:
        """Give what has to be finished before the response is written."""
        started = time.perf_counter_ns()
        yield from self.begun.waiting()
        self.timings["search"] = time.perf_counter_ns() - started

    def response(self) -> Response:
        """Write the response; no entry may be waiting."""
        return self.write(self.begun.answer(), self.faults, self.report)


@dataclass(frozen=True, slots=True)
class TwoHalves(Generic[Request, B, Response]):
    """An RPC that does its look-ups first, and its searches elsewhere.

    Attributes:
        read: turns the message into a batch.
        begin: does the look-ups.
        write: turns the answer into a message.
    """

    read: Callable[[Request], Converted[B]]
    begin: Callable[[Recommender, B, Effort], Begun]
    write: Callable[[BatchAnswer, Mapping[int, RequestError], Report], Response]

    def start(
        self, request: Request, recommender: Recommender, effort: Effort
    ) -> BegunCall[Response]:
        """Read a call and do its look-ups.

        Raises:
            RequestError: the batch itself is at fault.
        """
        started = time.perf_counter_ns()
        batch, faults = self.read(request)
        begun = self.begin(recommender, batch, effort)
        timings = {"lookup": time.perf_counter_ns() - started}
        report = Report(recommender.state, batch.call.debug, timings)
        return BegunCall(begun, faults, report, timings, self.write)


SESSIONS = TwoHalves(session_batch, Recommender.begin_session, session_response)
USERS = TwoHalves(user_batch, Recommender.begin_user, user_response)
