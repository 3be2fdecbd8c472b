"""Stock told to one worker, seen in all of them and after a restart."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from shelfmate.client import AdminClient, AsyncAdminClient, StockChange, StockUpdate
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.host_channels import channels
from tests.serving import Child, serving
from tests.shop import item_id

WITHIN_S = 20.0
"""The bar is one second; a busy machine may take longer without being wrong."""

OPTIONS = common.AnswerOptions(filter=common.Filter(available_only=True))
SOURCES = (
    common.SOURCE_PRECOMPUTED,
    common.SOURCE_LIVE,
    common.SOURCE_HYBRID,
    common.SOURCE_POPULAR,
)
VISITS = [common.Visit(item_id=item_id(5)), common.Visit(item_id=item_id(8))]


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def host(tiny_snapshots, tiny_configs, tmp_path_factory, state_dir) -> Iterator[Child]:
    folder = tmp_path_factory.mktemp("serving")
    with serving(tiny_snapshots, folder, tiny_configs, workers=2, state_dir=state_dir) as child:
        yield child


def tell(host: Child, ids: Sequence[str], available: bool, second: int) -> StockUpdate:
    at = datetime.fromtimestamp(second, UTC)
    with AdminClient(host.admin_target, timeout_s=20) as client:
        return client.update_stock([StockChange(id, available, at) for id in ids])


def shown(stub: recommender_pb2_grpc.RecommenderServiceStub) -> dict[str, set[str]]:
    """Ids of the answers of every road."""
    query = pb.SimilarQuery(item_id=item_id(5))
    found = {
        common.Source.Name(source): stub.RecommendSimilar(
            pb.RecommendSimilarRequest(requests=[query], defaults=OPTIONS, sources=[source]),
            timeout=20,
        ).outcomes
        for source in SOURCES
    }
    near = pb.NeighborQuery(item_id=item_id(5))
    search = pb.SearchNeighborsRequest(requests=[near], defaults=OPTIONS)
    found["search"] = stub.SearchNeighbors(search, timeout=20).outcomes
    visits = pb.SessionQuery(visits=VISITS)
    session = pb.RecommendForSessionRequest(requests=[visits], defaults=OPTIONS)
    found["session"] = stub.RecommendForSession(session, timeout=20).outcomes
    return {
        name: {item.item_id for item in outcomes[0].recommendations.items}
        for name, outcomes in found.items()
    }


def available(stub: recommender_pb2_grpc.RecommenderServiceStub, id: str) -> bool:
    (outcome,) = stub.GetItems(pb.GetItemsRequest(item_ids=[id]), timeout=20).outcomes
    return outcome.item.available


def everywhere(host: Child, id: str, *, is_available: bool) -> bool:
    """Wait until all workers know, and tell whether they do."""
    until = time.monotonic() + WITHIN_S
    with channels(host.target) as every:
        stubs = [recommender_pb2_grpc.RecommenderServiceStub(channel) for channel in every]
        while any(available(stub, id) is not is_available for stub in stubs):
            if time.monotonic() > until:
                return False
    return True


def test_what_is_out_of_stock_is_on_no_road_of_any_worker(host):
    with grpc.insecure_channel(host.target) as channel:
        before = shown(recommender_pb2_grpc.RecommenderServiceStub(channel))
    assert all(before.values())
    gone = sorted(set().union(*before.values()))
    response = tell(host, [*gone, "not-in-any-snapshot"], False, 100)
    assert (response.applied_count, response.ignored_count) == (len(gone) + 1, 0)
    assert everywhere(host, gone[0], is_available=False)
    assert everywhere(host, gone[-1], is_available=False)
    with channels(host.target) as every:
        for channel in every:
            after = shown(recommender_pb2_grpc.RecommenderServiceStub(channel))
            assert after["SOURCE_POPULAR"]
            assert not set().union(*after.values()) & set(gone)
    assert tell(host, gone, True, 99).ignored_count == len(gone)
    tell(host, gone, True, 101)
    assert everywhere(host, gone[0], is_available=True)


async def test_wrong_changes_fail_alone(host):
    at, later = datetime.now(UTC), datetime.now(UTC) + timedelta(days=2)
    changes = [
        StockChange("", True, at),
        StockChange("another", True, at),
        StockChange("x", True, later),
    ]
    async with AsyncAdminClient(host.admin_target, timeout_s=20) as client:
        update = await client.update_stock(changes)
    assert {place: error.code for place, error in update.failures.items()} == {
        0: "INVALID_ARGUMENT",
        2: "INVALID_ARGUMENT",
    }
    assert update.applied_count == 1


def test_stock_is_known_to_a_server_that_starts_later(
    host, state_dir, tiny_snapshots, tiny_configs, tmp_path
):
    tell(host, [item_id(77)], False, 200)
    with (
        serving(tiny_snapshots, tmp_path, tiny_configs, state_dir=state_dir) as later,
        grpc.insecure_channel(later.target) as channel,
    ):
        stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
        assert not available(stub, item_id(77))
        assert available(stub, item_id(78))
    tell(host, [item_id(77)], True, 201)
