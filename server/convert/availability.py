"""Changes of stock from the wire, and what became of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from artifacts.errors import RequestError
from retrieval.item_ids import checked_id
from server.availability_store import StockChange
from server.status import status_of
from shelfmate.v1 import admin_pb2 as pb

MAX_CHANGES = 10_000
MOST_AHEAD_NS = 24 * 3600 * 10**9
"""How far ahead of this host's clock a change may be: no later one could undo what comes from a
clock that counts in another unit."""


class ReadChanges(NamedTuple):
    """The changes of a request, and what is wrong with the others."""

    changes: Sequence[StockChange]
    faults: Mapping[int, RequestError]
    """By place in the request."""


def stock_changes(request: pb.UpdateAvailabilityRequest, *, now_ns: int) -> ReadChanges:
    """Read changes of stock.

    Args:
        request: as it came.
        now_ns: this host's time since the epoch.

    Raises:
        RequestError: there are none or too many of them.
    """
    count = len(request.changes)
    if not 1 <= count <= MAX_CHANGES:
        raise RequestError(
            f"changes: expected 1 to {MAX_CHANGES}, got {count}",
            field="changes",
            reason="BATCH_SIZE_OUT_OF_RANGE",
        )
    changes: list[StockChange] = []
    faults: dict[int, RequestError] = {}
    for place, change in enumerate(request.changes):
        try:
            changes.append(_change(change, now_ns))
        except RequestError as error:
            faults[place] = error
    return ReadChanges(changes, faults)


def availability_response(read: ReadChanges, *, applied: int) -> pb.UpdateAvailabilityResponse:
    """Write what became of changes, of which `applied` were not older than what was known."""
    return pb.UpdateAvailabilityResponse(
        applied_count=applied,
        ignored_count=len(read.changes) - applied,
        failures=[
            pb.AvailabilityFailure(
                change_index=place, status=status_of(error, prefix=f"changes[{place}]")
            )
            for place, error in read.faults.items()
        ],
    )


def _change(change: pb.AvailabilityChange, now_ns: int) -> StockChange:
    item_id = checked_id(change.item_id, path="item_id")
    if not change.HasField("observed_at"):
        raise _bad_time("expected the time since when this is so, got none", "NO_TIME")
    stamp = change.observed_at
    if not 0 <= stamp.nanos < 10**9:
        raise _bad_time(f"expected 0 to 999,999,999 nanos, got {stamp.nanos}", "TIME_OUT_OF_RANGE")
    observed_ns = stamp.seconds * 10**9 + stamp.nanos
    if not 0 <= observed_ns <= now_ns + MOST_AHEAD_NS:
        raise _bad_time(
            f"expected a time since 1970 and at most a day ahead, got second {stamp.seconds}",
            "TIME_OUT_OF_RANGE",
        )
    return StockChange(item_id, change.available, observed_ns)


def _bad_time(message: str, reason: str) -> RequestError:
    return RequestError(f"observed_at: {message}", field="observed_at", reason=reason)
