"""The error that the client raises when a whole call fails."""

from typing import Protocol

import grpc
from google.rpc.status_pb2 import Status

from shelfmate.client.answers import EntryError
from shelfmate.client.responses import entry_error

DETAILS_KEY = "grpc-status-details-bin"


class CallError(Exception):
    """A call failed as a whole: the batch was at fault, or the server could not answer.

    Attributes:
        error: code, message, reason and field, as for a single entry.
    """

    def __init__(self, error: EntryError) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error

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
    for key, value in _pairs(failed.trailing_metadata()):
        if key == DETAILS_KEY and isinstance(value, bytes):
            return CallError(entry_error(Status.FromString(value)))
    return CallError(EntryError(code=failed.code().name, message=failed.details() or ""))


def _pairs(metadata: object) -> list[tuple[str, str | bytes]]:
    # grpc.aio gives a Metadata object or a tuple of pairs, the blocking flavour a tuple or None.
    return [(key, value) for key, value in metadata] if metadata else []  # type: ignore[attr-defined]
