"""What is known of one call while it is answered."""

import time
from collections import Counter
from contextvars import ContextVar

from artifacts.errors import ShelfmateError
from retrieval.answer import A, Answer, BatchOutcomes, ShortfallReason
from retrieval.candidates import PlainList, Source

FALLBACKS = frozenset({Source.HYBRID, Source.POPULAR})
"""Sources of items that the model itself had no answer from."""


class CallRecord:
    """Filled in by whoever answers the call, read by whoever observes it.

    Args:
        request_id: as the caller sent it; empty where it sent none.

    Attributes:
        stages: nanoseconds by stage, in their order.
        starts: when each stage began, by `time.perf_counter_ns`.
        entries: entries of the batch.
        failed: entries that were answered by an error.
        fallbacks: entries with an item of a fallback.
        sources: items by source.
        shortfalls: short answers by reason.
        partial: the deadline cut the answer short.
        degraded: less was done than asked, because of load.
    """

    __slots__ = (
        "degraded",
        "entries",
        "failed",
        "fallbacks",
        "partial",
        "request_id",
        "shortfalls",
        "sources",
        "stages",
        "starts",
    )

    def __init__(self, request_id: str = "") -> None:
        self.request_id = request_id
        self.stages: dict[str, int] = {}
        self.starts: dict[str, int] = {}
        self.entries = 0
        self.failed = 0
        self.fallbacks = 0
        self.sources: dict[Source, int] = {}
        self.shortfalls: dict[ShortfallReason, int] = {}
        self.partial = False
        self.degraded = False

    def spent(self, stage: str, started_ns: int) -> None:
        """Note the time of a stage that ends now and began at `started_ns`."""
        self.starts[stage] = started_ns
        self.stages[stage] = time.perf_counter_ns() - started_ns

    def note(self, answer: BatchOutcomes[A]) -> BatchOutcomes[A]:
        """Count what is in an answer, and return it. Cost: O(items) where they are mixed."""
        self.entries = len(answer.outcomes)
        self.partial = answer.partial
        self.degraded = answer.degraded
        for outcome in answer.outcomes:
            if isinstance(outcome, Answer):
                self._note_entry(outcome)
            elif isinstance(outcome, ShelfmateError):
                self.failed += 1
        return answer

    def _note_entry(self, answer: Answer) -> None:
        candidates = answer.candidates
        if isinstance(candidates, PlainList):
            self._note_items(candidates.source, len(candidates))
            self.fallbacks += candidates.source in FALLBACKS
        else:
            counts = Counter(candidate.source for candidate in candidates)
            for source, items in counts.items():
                self._note_items(source, items)
            self.fallbacks += not FALLBACKS.isdisjoint(counts)
        if answer.shortfall is not None:
            reason = answer.shortfall.reason
            self.shortfalls[reason] = self.shortfalls.get(reason, 0) + 1

    def _note_items(self, source: Source, items: int) -> None:
        self.sources[source] = self.sources.get(source, 0) + items


CALL: ContextVar[CallRecord] = ContextVar("call")


def current_call() -> CallRecord:
    """Return the record of the call that is being answered; of one that nobody observes, a new one.

    To be asked on the event loop: threads that search do not know which call they work for.
    """
    record = CALL.get(None)
    return CallRecord() if record is None else record
