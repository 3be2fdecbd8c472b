"""Exceptions as `google.rpc.Status`: one table, nowhere else."""

import asyncio
import logging
from typing import NoReturn

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from artifacts.errors import (
    ConflictError,
    DeadlineError,
    ForbiddenError,
    NotBuiltError,
    NotReadyError,
    OverloadedError,
    RequestError,
    SnapshotRefusedError,
    StorageError,
    UnauthenticatedError,
    UnknownItemError,
    UnknownSnapshotError,
    UnknownUserError,
    UnsupportedError,
)
from server.request_ids import REQUEST_ID, made_id, sent_id

logger = logging.getLogger(__name__)

DOMAIN = "shelfmate"
DETAILS_KEY = "grpc-status-details-bin"
SHORTEST_RETRY_S = 0.01
NOT_READY_RETRY_S = 0.1
"""Another worker may answer at once, and this one's place is taken in a moment."""

CODES: tuple[tuple[type[Exception], grpc.StatusCode, str], ...] = (
    (UnknownItemError, grpc.StatusCode.NOT_FOUND, "UNKNOWN_ITEM"),
    (UnknownUserError, grpc.StatusCode.NOT_FOUND, "UNKNOWN_USER"),
    (UnknownSnapshotError, grpc.StatusCode.NOT_FOUND, "UNKNOWN_SNAPSHOT"),
    (RequestError, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    (UnsupportedError, grpc.StatusCode.FAILED_PRECONDITION, "NOT_IN_SNAPSHOT"),
    (SnapshotRefusedError, grpc.StatusCode.FAILED_PRECONDITION, "SNAPSHOT_REFUSED"),
    (ConflictError, grpc.StatusCode.ABORTED, "CONFLICT"),
    (StorageError, grpc.StatusCode.UNAVAILABLE, "STORAGE"),
    (NotBuiltError, grpc.StatusCode.UNIMPLEMENTED, "NOT_BUILT"),
    (UnauthenticatedError, grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
    (ForbiddenError, grpc.StatusCode.PERMISSION_DENIED, "FORBIDDEN"),
    (OverloadedError, grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
    (NotReadyError, grpc.StatusCode.UNAVAILABLE, "NOT_READY"),
    (DeadlineError, grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE"),
)
"""The first type that fits decides; RequestErrors bring a reason of their own."""

BUG = (grpc.StatusCode.INTERNAL, "BUG")


def status_of(error: Exception, *, prefix: str = "", request_id: str = "") -> Status:
    """Return an error as callers see it.

    Args:
        error: what happened.
        prefix: path of the message that the error's field belongs to, such as `requests[3]`.
        request_id: name of the call, for an error that ends it.
    """
    code, reason = next(
        ((code, reason) for kind, code, reason in CODES if isinstance(error, kind)), BUG
    )
    number: int = code.value[0]
    if code is grpc.StatusCode.INTERNAL:
        # The message may hold anything, so it goes to the log and not to the caller.
        message = "internal error; the server's log has the details"
    else:
        message = str(error)
    reason = error.reason if isinstance(error, RequestError) else reason
    named = {"request_id": request_id} if request_id else None
    details: list[Message] = [ErrorInfo(reason=reason, domain=DOMAIN, metadata=named)]
    if isinstance(error, RequestError | NotBuiltError):
        path = ".".join(part for part in (prefix, error.field) if part)
        violation = BadRequest.FieldViolation(field=path, description=message)
        details.append(BadRequest(field_violations=[violation]))
    if isinstance(error, OverloadedError):
        details.append(_retry_after(max(error.retry_after_s, SHORTEST_RETRY_S)))
    elif isinstance(error, NotReadyError):
        details.append(_retry_after(NOT_READY_RETRY_S))
    return Status(code=number, message=message, details=[_packed(detail) for detail in details])


async def abort(context: grpc.aio.ServicerContext[object, object], error: Exception) -> NoReturn:
    """End a call with the status of an error; a bug is logged with its traceback."""
    request_id = sent_id(context.invocation_metadata()) or made_id()
    status = status_of(error, request_id=request_id)
    code = CODE_OF_NUMBER[status.code]
    if code is grpc.StatusCode.INTERNAL:
        logger.error("call failed by a bug request_id=%s", request_id, exc_info=error)
    metadata = ((DETAILS_KEY, status.SerializeToString()), (REQUEST_ID, request_id))
    try:
        await context.abort(code, status.message, metadata)
    except grpc.aio.InternalError:
        # The call is over already: its deadline passed while this was written. gRPC would log a
        # traceback of each, just when there is least time for that.
        raise asyncio.CancelledError from None
    raise AssertionError("bug: abort returned")


CODE_OF_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


def _retry_after(delay_s: float) -> RetryInfo:
    return RetryInfo(retry_delay=Duration(seconds=int(delay_s), nanos=int(delay_s % 1 * 1e9)))


def _packed(detail: Message) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed
