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
from server.limits import within
from server.observation.call_record import CallRecord
from server.security.config import LimitsConfig

Request = TypeVar("Request")
Response = TypeVar("Response")
B = TypeVar("B", SessionBatch, UserBatch)


class Terms(NamedTuple):
    """What a call is answered under."""

    effort: Effort
    """How much is done for it."""
    limits: LimitsConfig
    """How much it may ask for."""
    record: CallRecord
    """Told of it."""


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
    record: CallRecord
    """Told of stages as they end, and of the answer."""
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
        self.record.spent("search", started)

    def response(self) -> Response:
        """Write the response; no entry may be waiting."""
        return self.write(self.record.note(self.begun.answer()), self.faults, self.report)


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
        self, request: Request, recommender: Recommender, terms: Terms
    ) -> BegunCall[Response]:
        """Read a call and do its look-ups.

        Args:
            request: the message.
            recommender: answers it.
            terms: under which it is answered.

        Raises:
            RequestError: the batch itself is at fault.
        """
        started = time.perf_counter_ns()
        batch, faults = within(terms.limits, self.read(request))
        begun = self.begin(recommender, batch, terms.effort)
        terms.record.spent("lookup", started)
        report = Report(recommender.state, batch.call.debug, terms.record.stages)
        return BegunCall(begun, faults, report, terms.record, self.write)


SESSIONS = TwoHalves(session_batch, Recommender.begin_session, session_response)
USERS = TwoHalves(user_batch, Recommender.begin_user, user_response)
