"""Stock told to one worker, seen in all of them and after a restart."""

import time
from collections.abc import Iterator, Sequence

import grpc
import pytest

from shelfmate.v1 import admin_pb2, admin_pb2_grpc, recommender_pb2_grpc
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
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


def tell(host: Child, ids: Sequence[str], available: bool, second: int):
    changes = [admin_pb2.AvailabilityChange(item_id=id, available=available) for id in ids]
    for change in changes:
        change.observed_at.seconds = second
    request = admin_pb2.UpdateAvailabilityRequest(changes=changes)
    with grpc.insecure_channel(host.admin_target) as channel:
        stub = admin_pb2_grpc.AdminServiceStub(channel)
        return stub.UpdateAvailability(request, timeout=20)


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


def test_wrong_changes_fail_alone(host):
    request = admin_pb2.UpdateAvailabilityRequest(
        changes=[admin_pb2.AvailabilityChange(item_id="x"), admin_pb2.AvailabilityChange()]
    )
    request.changes[1].observed_at.seconds = 1
    with grpc.insecure_channel(host.admin_target) as channel:
        stub = admin_pb2_grpc.AdminServiceStub(channel)
        response = stub.UpdateAvailability(request, timeout=20)
    assert [failure.change_index for failure in response.failures] == [0, 1]
    assert response.applied_count == 0


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
