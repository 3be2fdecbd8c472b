"""A call after its look-ups."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from artifacts.errors import RequestError
from retrieval.begun import Begun
from retrieval.effort import Effort
from retrieval.queries import SessionBatch, UserBatch
from retrieval.recommender import Recommender
from retrieval.together import Run
from server.convert import (
    Converted,
    Report,
    answer_bytes,
    session_batch,
    user_batch,
)
from server.limits import within
from server.observation.call_record import CallRecord
from server.security.config import LimitsConfig

Request = TypeVar("Request")
B = TypeVar("B", SessionBatch, UserBatch)


class Terms(NamedTuple):
    """What a call is answered under."""

    effort: Effort
    """How much is done for it."""
    limits: LimitsConfig
    """How much it may ask for."""
    record: CallRecord
    """Told of it."""


class BegunCall(NamedTuple):
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

    @property
    def pending(self) -> bool:
        """Whether an entry waits for a search."""
        return self.begun.pending

    def waiting(self) -> Iterator[Run]:
        """Give what has to be finished before the response is written."""
        started = time.perf_counter_ns()
        yield from self.begun.waiting()
        self.record.spent("search", started)

    def response(self) -> bytes:
        """Write the response; no entry may be waiting."""
        return answer_bytes(self.record.note(self.begun.answer()), self.faults, self.report)


@dataclass(frozen=True, slots=True)
class TwoHalves(Generic[Request, B]):
    """An RPC that does its look-ups first, and its searches elsewhere.

    Attributes:
        read: turns the message into a batch.
        begin: does the look-ups.
    """

    read: Callable[[Request], Converted[B]]
    begin: Callable[[Recommender, B, Effort], Begun]

    def start(self, request: Request, recommender: Recommender, terms: Terms) -> BegunCall:
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
        return BegunCall(begun, faults, report, terms.record)


SESSIONS = TwoHalves(session_batch, Recommender.begin_session)
USERS = TwoHalves(user_batch, Recommender.begin_user)
