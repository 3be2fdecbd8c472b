import inspect

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from artifacts import errors
from server.status import status_of

CODE = grpc.StatusCode


def unpacked(status: Status) -> dict[str, object]:
    found: dict[str, object] = {}
    for detail in status.details:
        for kind in (ErrorInfo, BadRequest, RetryInfo):
            message = kind()
            if detail.Unpack(message):
                found[kind.__name__] = message
    return found


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (
            errors.RequestError("m", reason="K_OUT_OF_RANGE"),
            CODE.INVALID_ARGUMENT,
            "K_OUT_OF_RANGE",
        ),
        (errors.UnknownItemError("m"), CODE.NOT_FOUND, "UNKNOWN_ITEM"),
        (errors.UnknownUserError("m"), CODE.NOT_FOUND, "UNKNOWN_USER"),
        (errors.UnknownSnapshotError("m"), CODE.NOT_FOUND, "UNKNOWN_SNAPSHOT"),
        (errors.SnapshotRefusedError("m"), CODE.FAILED_PRECONDITION, "SNAPSHOT_REFUSED"),
        (errors.ConflictError("m"), CODE.ABORTED, "CONFLICT"),
        (errors.StorageError("m"), CODE.UNAVAILABLE, "STORAGE"),
        (errors.UnsupportedError("m"), CODE.FAILED_PRECONDITION, "NOT_IN_SNAPSHOT"),
        (errors.NotBuiltError("m"), CODE.UNIMPLEMENTED, "NOT_BUILT"),
        (errors.UnauthenticatedError("m"), CODE.UNAUTHENTICATED, "UNAUTHENTICATED"),
        (errors.ForbiddenError("m"), CODE.PERMISSION_DENIED, "FORBIDDEN"),
        (errors.OverloadedError("m"), CODE.RESOURCE_EXHAUSTED, "OVERLOADED"),
        (errors.NotReadyError("m"), CODE.UNAVAILABLE, "NOT_READY"),
        (errors.DeadlineError("m"), CODE.DEADLINE_EXCEEDED, "DEADLINE"),
        (errors.DataError("m"), CODE.INTERNAL, "BUG"),
        (KeyError("m"), CODE.INTERNAL, "BUG"),
    ],
)
def test_each_error_has_its_code_and_reason(error, code, reason):
    status = status_of(error)
    assert status.code == code.value[0]
    info = unpacked(status)["ErrorInfo"]
    assert isinstance(info, ErrorInfo)
    assert (info.reason, info.domain) == (reason, "shelfmate")


def test_every_error_of_the_tree_becomes_a_status():
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    kinds = [kind for kind in found if issubclass(kind, errors.ShelfmateError)]
    assert len(kinds) > 10
    for kind in kinds:
        assert status_of(kind("message")).code in {code.value[0] for code in CODE}


@pytest.mark.parametrize(
    ("prefix", "field", "path"),
    [
        ("requests[3]", "options.k", "requests[3].options.k"),
        ("requests[3]", "", "requests[3]"),
        ("", "defaults.k", "defaults.k"),
    ],
)
def test_field_at_fault_is_named_from_the_top_of_the_request(prefix, field, path):
    bad = unpacked(status_of(errors.RequestError("m", field=field), prefix=prefix))["BadRequest"]
    assert isinstance(bad, BadRequest)
    assert [violation.field for violation in bad.field_violations] == [path]


def test_bug_tells_callers_nothing_of_the_inside():
    assert "secret" not in status_of(ValueError("secret")).message


def test_overload_says_when_to_come_back():
    retry = unpacked(status_of(errors.OverloadedError("m")))["RetryInfo"]
    assert isinstance(retry, RetryInfo)
    assert retry.retry_delay.ToTimedelta().total_seconds() > 0
