"""Snapshots come and go under two workers that serve."""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from typer.testing import CliRunner

from artifacts.versions import VersionedRoot
from cli.main import app
from indexer.publish import publish
from retrieval.config import RetrievalConfig
from server.host_swap import LOCK_NAME
from shelfmate.client import EntryError
from shelfmate.client.call_error import call_error
from shelfmate.v1 import admin_pb2, admin_pb2_grpc, recommender_pb2_grpc
from shelfmate.v1 import recommender_pb2 as pb
from tests.host_channels import all_refuse, channels, statuses
from tests.host_worker import build_two_nights
from tests.serving import Child, serving

QUERY = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id="item-0000")])


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> VersionedRoot:
    return build_two_nights(tmp_path_factory.mktemp("nights"))


@pytest.fixture(scope="module")
def host(snapshots, tmp_path_factory) -> Iterator[Child]:
    folder = tmp_path_factory.mktemp("serving")
    with serving(snapshots, folder, RetrievalConfig(), workers=2, watch_s=0.05) as child:
        yield child


@pytest.fixture
def admin(host) -> Iterator[admin_pb2_grpc.AdminServiceStub]:
    with grpc.insecure_channel(host.admin_target) as channel:
        yield admin_pb2_grpc.AdminServiceStub(channel)


def served(host: Child) -> set[str]:
    """Snapshots that answers name, over many connections."""
    with channels(host.target) as every:
        stubs = [recommender_pb2_grpc.RecommenderServiceStub(channel) for channel in every]
        return {stub.RecommendSimilar(QUERY, timeout=20).info.snapshot_id for stub in stubs}


def wait_until(condition: Callable[[], bool], within_s: float = 30) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "what was waited for did not come"


def activate(admin: admin_pb2_grpc.AdminServiceStub, id: str) -> admin_pb2.ActivateSnapshotResponse:
    return admin.ActivateSnapshot(admin_pb2.ActivateSnapshotRequest(snapshot_id=id), timeout=60)


def refusal(admin: admin_pb2_grpc.AdminServiceStub, id: str) -> EntryError:
    with pytest.raises(grpc.RpcError) as caught:
        activate(admin, id)
    return call_error(caught.value).error


def test_all_workers_follow_what_is_published(host, snapshots):
    first, second = snapshots.ids()
    assert served(host) == {first}
    publish(snapshots, second, now=datetime.now(UTC))
    wait_until(lambda: served(host) == {second})
    assert len(statuses(host.admin_target)) == 2
    snapshots.use(first)
    wait_until(lambda: served(host) == {first})


def test_one_call_activates_in_all_workers_and_back_again(host, snapshots, admin):
    first, second = snapshots.ids()
    for id, before in ((second, first), (first, second)):
        response = activate(admin, id)
        assert response.snapshot.snapshot_id == id
        assert response.replaced_snapshot_id == before
        assert served(host) == {id}
        assert snapshots.current_id() == id


def test_command_activates_on_a_running_host(host, snapshots):
    first, second = snapshots.ids()
    for id, before in ((second, first), (first, second)):
        result = CliRunner().invoke(app, ["activate", id, "--address", host.admin_target])
        assert result.exit_code == 0, result.output
        assert f"in service: {id} (before: {before})" in result.output
    assert served(host) == {first}


def test_snapshots_are_listed(host, snapshots, admin):
    first, second = snapshots.ids()
    response = admin.ListSnapshots(admin_pb2.ListSnapshotsRequest(), timeout=20)
    assert [info.snapshot_id for info in response.snapshots] == [second, first]
    assert response.current_snapshot_id == first


def test_unknown_snapshot_is_not_found_and_concurrent_activation_aborted(host, snapshots, admin):
    assert refusal(admin, "gone").reason == "UNKNOWN_SNAPSHOT"
    with (snapshots.root / LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert refusal(admin, snapshots.ids()[1]).code == "ABORTED"


def test_damaged_snapshot_is_refused_and_the_old_one_serves_on(host, snapshots, admin):
    first, second = snapshots.ids()
    vectors = snapshots.path(second) / "spaces" / "cf" / "vectors.npy"
    sound = vectors.read_bytes()
    vectors.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    refused = refusal(admin, second)
    assert refused.code == "FAILED_PRECONDITION"
    assert "content differs from its checksum" in refused.message
    assert snapshots.current_id() == first
    snapshots.use(second)
    wait_until(lambda: all_refuse(second)(statuses(host.admin_target)))
    assert served(host) == {first}
    with grpc.insecure_channel(host.target) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        status = check(health_pb2.HealthCheckRequest(), timeout=20).status
        assert status == health_pb2.HealthCheckResponse.SERVING
    vectors.write_bytes(sound)
    assert activate(admin, second).replaced_snapshot_id == second
    assert served(host) == {second}
    assert not any(s.HasField("refused") for s in statuses(host.admin_target).values())
    activate(admin, first)


def test_server_without_a_watch_serves_the_first_snapshot_to_the_end(snapshots, tmp_path):
    root = VersionedRoot(tmp_path / "snapshots")
    shutil.copytree(snapshots.root, root.root)
    first, second = root.ids()
    root.use(first)
    with serving(root, tmp_path, RetrievalConfig(), watch_s=0) as child:
        root.use(second)
        with grpc.insecure_channel(child.admin_target) as channel:
            admin = admin_pb2_grpc.AdminServiceStub(channel)
            assert served(child) == {first}
            activate(admin, second)  # it is alone, so that nobody has to notice
            assert served(child) == {second}
