"""Every error that shelfmate raises on purpose, as one tree.

    ShelfmateError
      ConfigError              settings wrong or contradictory         exit 2
      BackendUnavailableError  an optional library is absent           exit 2
      DataError                events or arrays break their contract   exit 1
      ArtifactError            an artifact is missing, damaged or of another format   exit 1
      GateError                a snapshot is below its thresholds      exit 3
      RequestError             the caller's fault                      INVALID_ARGUMENT
        UnknownItemError       only where the caller forbade fallback  NOT_FOUND
        UnknownUserError       only where the caller forbade fallback  NOT_FOUND
        UnknownSnapshotError   no such snapshot                        NOT_FOUND
      UnsupportedError         the snapshot lacks a space or relation  FAILED_PRECONDITION
      SnapshotRefusedError     a snapshot cannot take over             FAILED_PRECONDITION
      ConflictError            another activation is under way         ABORTED
      StorageError             what a host keeps cannot be written     UNAVAILABLE, exit 1
      NotBuiltError            this release does not have it yet       UNIMPLEMENTED
      UnauthenticatedError     no valid credentials                    UNAUTHENTICATED
      ForbiddenError           the caller's role is too small          PERMISSION_DENIED
      OverloadedError          a queue is full                         RESOURCE_EXHAUSTED
      NotReadyError            no snapshot yet, or draining            UNAVAILABLE
      DeadlineError            the deadline passed between stages      DEADLINE_EXCEEDED

Anything else that escapes is a bug of ours (INTERNAL, exit 70).
"""


class ShelfmateError(Exception):
    """Root of the tree; never raised itself."""


class ConfigError(ShelfmateError):
    """A setting is wrong, unknown or contradicts another one."""


class BackendUnavailableError(ShelfmateError):
    """An optional library is not installed; the message names the extra that brings it."""


class DataError(ShelfmateError):
    """Events, items or arrays break their contract; the message says expected, got and where."""


class ArtifactError(ShelfmateError):
    """An artifact on disk is missing, damaged, half-written or of another format version."""


class GateError(ShelfmateError):
    """A snapshot fell below a threshold and was not put in service, or measurements became worse."""


class RequestError(ShelfmateError):
    """The caller asked for something that no snapshot could answer.

    Attributes:
        field: path of the field at fault inside the request message, such as `requests[3].k`.
        reason: UPPER_SNAKE word for machines.
    """

    def __init__(self, message: str, *, field: str = "", reason: str = "INVALID_REQUEST") -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason


class UnknownItemError(RequestError):
    """An item id is not in the snapshot, and the caller forbade every fallback."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message, field=field, reason="UNKNOWN_ITEM")


class UnknownUserError(RequestError):
    """The snapshot does not know a shopper, and the caller forbade every fallback.

    The message never holds the shopper's id.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message, field=field, reason="UNKNOWN_USER")


class UnknownSnapshotError(RequestError):
    """The caller named a snapshot that is not there."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message, field=field, reason="UNKNOWN_SNAPSHOT")


class UnsupportedError(ShelfmateError):
    """The snapshot in service has no such space, relation or table."""


class SnapshotRefusedError(ShelfmateError):
    """A snapshot is damaged, unfit or below its thresholds; the one in service stays."""


class ConflictError(ShelfmateError):
    """Another call is changing the same thing; the caller may try again later."""


class StorageError(ShelfmateError):
    """What a host keeps beside its snapshots cannot be read or written."""


class NotBuiltError(ShelfmateError):
    """The contract names the option, but this release does not have it yet.

    Attributes:
        field: path of the option inside the request message, such as `sources[1]`.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class UnauthenticatedError(ShelfmateError):
    """The caller has no valid credentials; the message never says which part was wrong."""


class ForbiddenError(ShelfmateError):
    """The caller is known, and its role does not cover what it asked for."""


class OverloadedError(ShelfmateError):
    """A bounded queue is full; the caller may try again later.

    Attributes:
        retry_after_s: seconds after which a further try has a chance.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotReadyError(ShelfmateError):
    """No snapshot is loaded yet, or the server is draining."""


class DeadlineError(ShelfmateError):
    """The caller's deadline passed before the answer was complete."""
