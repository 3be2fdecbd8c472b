"""What a host allows of what the wire contract does."""

from typing import TypeVar

from artifacts.errors import RequestError
from retrieval.queries import (
    AnswerOptions,
    NeighborBatch,
    SessionBatch,
    SimilarBatch,
    UserBatch,
)
from server.convert import Converted
from server.security.config import LimitsConfig

B = TypeVar("B", SimilarBatch, NeighborBatch, SessionBatch, UserBatch)


def check_size(size: int, limits: LimitsConfig, *, path: str) -> None:
    """Return if a call may have so many entries.

    Raises:
        RequestError: it may not.
    """
    if limits.max_batch and size > limits.max_batch:
        raise RequestError(
            f"{path}: expected at most {limits.max_batch} entries on this host, got {size}",
            field=path,
            reason="BATCH_SIZE_OUT_OF_RANGE",
        )


def within(limits: LimitsConfig, converted: Converted[B]) -> Converted[B]:
    """Return a batch with a fault for each entry that asks for too much.

    Raises:
        RequestError: the batch is too large, or its defaults ask for too much.
    """
    batch, faults = converted
    check_size(len(batch.queries), limits, path="requests")
    if not limits.max_k:
        return converted
    fault = _too_many(batch.defaults, limits.max_k, "defaults.k")
    if fault is not None:
        raise fault
    found = {
        place: fault
        for place, query in enumerate(batch.queries)
        if (fault := _too_many(query.options, limits.max_k, "options.k")) is not None
    }
    if not found:
        return converted
    # What is refused is not worked on: its place is kept by an entry that asks for no more than usual.
    queries = [
        query._replace(options=None) if place in found else query
        for place, query in enumerate(batch.queries)
    ]
    return Converted(batch._replace(queries=queries), {**found, **faults})


def _too_many(options: AnswerOptions | None, max_k: int, path: str) -> RequestError | None:
    if options is None or options.k is None or options.k <= max_k:
        return None
    return RequestError(
        f"k: expected 1 to {max_k} on this host, got {options.k}",
        field=path,
        reason="K_OUT_OF_RANGE",
    )
