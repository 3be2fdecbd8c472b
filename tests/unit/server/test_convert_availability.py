import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from artifacts.errors import RequestError
from server.availability_store import StockChange
from server.convert.availability import MAX_CHANGES, availability_response, stock_changes
from shelfmate.v1 import admin_pb2 as pb

NOW_S = 1_800_000_000
NOW_NS = NOW_S * 10**9


def change(item_id: str = "a", available: bool = False, **time: int) -> pb.AvailabilityChange:
    stamp = Timestamp(**time) if time else None
    return pb.AvailabilityChange(item_id=item_id, available=available, observed_at=stamp)


def read(*changes: pb.AvailabilityChange):
    return stock_changes(pb.UpdateAvailabilityRequest(changes=changes), now_ns=NOW_NS)


def test_times_are_read_to_the_nanosecond():
    found = read(change("a", True, seconds=NOW_S, nanos=7), change("b", seconds=1))
    assert found.changes == [
        StockChange("a", True, NOW_NS + 7),
        StockChange("b", False, 10**9),
    ]
    assert not found.faults


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        (change("", seconds=1), "item_id", "EMPTY_ID"),
        (change("a"), "observed_at", "NO_TIME"),
        (change("a", seconds=1, nanos=-1), "observed_at", "TIME_OUT_OF_RANGE"),
        (change("a", seconds=1, nanos=2_000_000_000), "observed_at", "TIME_OUT_OF_RANGE"),
        (change("a", seconds=-5), "observed_at", "TIME_OUT_OF_RANGE"),
        (change("a", seconds=NOW_S * 1_000), "observed_at", "TIME_OUT_OF_RANGE"),
        (change("a", seconds=2**62), "observed_at", "TIME_OUT_OF_RANGE"),
    ],
)
def test_wrong_change_fails_alone_with_its_field(wrong, field, reason):
    found = read(change("good", seconds=1), wrong)
    assert [good.item_id for good in found.changes] == ["good"]
    error = found.faults[1]
    assert (error.field, error.reason) == (field, reason)
    response = availability_response(found, applied=0)
    assert (response.applied_count, response.ignored_count) == (0, 1)
    (failure,) = response.failures
    assert failure.change_index == 1
    assert failure.status.code == 3


@pytest.mark.parametrize("size", [0, MAX_CHANGES + 1])
def test_batch_of_wrong_size_fails_whole(size):
    with pytest.raises(RequestError) as caught:
        read(*[change("a", seconds=1)] * size)
    assert caught.value.field == "changes"
