"""The error that the client raises when a whole call fails."""

from typing import Protocol

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from shelfmate.client.access import REQUEST_ID
from shelfmate.client.answers import EntryError
from shelfmate.client.responses import entry_error

DETAILS_KEY = "grpc-status-details-bin"

NOT_TAKEN_ON = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
"""Codes of a server that sheds load, and of one that drains or is not ready yet."""


class CallError(Exception):
    """A call failed as a whole: the batch was at fault, or the server could not answer.

    Attributes:
        error: code, message, reason and field, as for a single entry.
        request_id: what the server calls the call in its log; empty where it did not say.
    """

    def __init__(self, error: EntryError, request_id: str = "") -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error
        self.request_id = request_id

    @property
    def code(self) -> str:
        """Name of the gRPC code, such as `UNAVAILABLE`."""
        return self.error.code


class _FailedCall(Protocol):
    """What the errors of gRPC's two flavours have in common."""

    def code(self) -> grpc.StatusCode: ...

    def details(self) -> str | None: ...

    def trailing_metadata(self) -> object: ...


def call_error(failed: _FailedCall) -> CallError:
    """Return what gRPC raised as the client's own error."""
    status, request_id = None, ""
    for key, value in _pairs(failed.trailing_metadata()):
        if key == DETAILS_KEY and isinstance(value, bytes):
            status = Status.FromString(value)
        elif key == REQUEST_ID and isinstance(value, str):
            request_id = value
    if status is not None:
        return CallError(entry_error(status), request_id)
    return CallError(EntryError(failed.code().name, failed.details() or ""), request_id)


def retry_after_s(failed: _FailedCall) -> float | None:
    """Return after how many seconds a server that did not take the call on wants it again.

    gRPC's servers cancel what nobody has taken from their queue yet, when it is full or when they go away, and
    know no other way. Whoever cancels a call of its own does not ask.

    Returns:
        None if the server says nothing of that (RetryInfo): it worked on the call, or sending a
        message that is too large again would help nobody, or no server was reached.
    """
    if failed.code() is grpc.StatusCode.CANCELLED:
        return 0.0
    if failed.code() not in NOT_TAKEN_ON:
        return None
    for key, value in _pairs(failed.trailing_metadata()):
        if key == DETAILS_KEY and isinstance(value, bytes):
            retry = RetryInfo()
            for detail in Status.FromString(value).details:
                if detail.Unpack(retry):
                    return float(retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9)
    return None


def held_back() -> EntryError:
    """Return the error of a call that was not sent, because servers shed load."""
    return EntryError(
        code=grpc.StatusCode.RESOURCE_EXHAUSTED.name,
        message="servers shed load, and the call's turn would not come before its deadline",
        reason="HELD_BACK",
    )


def _pairs(metadata: object) -> list[tuple[str, str | bytes]]:
    # grpc.aio gives a Metadata object or a tuple of pairs, the blocking flavour a tuple or None.
    return [(key, value) for key, value in metadata] if metadata else []  # type: ignore[attr-defined]
