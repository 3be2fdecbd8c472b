"""Snapshots come and go under two workers that serve."""

import fcntl
import shutil
from collections.abc import Iterator
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
from shelfmate.client import AdminClient, AsyncAdminClient, CallError, EntryError
from shelfmate.client import admin_client as sync_module
from shelfmate.client import async_admin_client as async_module
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.host_channels import all_refuse, channels, statuses
from tests.host_worker import build_two_nights
from tests.patience import wait_until
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
def admin(host) -> Iterator[AdminClient]:
    with AdminClient(host.admin_target, timeout_s=20) as client:
        yield client


def served(host: Child) -> set[str]:
    """Snapshots that answers name, over many connections."""
    with channels(host.target) as every:
        stubs = [recommender_pb2_grpc.RecommenderServiceStub(channel) for channel in every]
        return {stub.RecommendSimilar(QUERY, timeout=20).info.snapshot_id for stub in stubs}


def refusal(admin: AdminClient, id: str) -> EntryError:
    with pytest.raises(CallError) as caught:
        admin.activate(id)
    return caught.value.error


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
        done = admin.activate(id)
        assert (done.snapshot.snapshot_id, done.replaced_id) == (id, before)
        assert served(host) == {id}
        assert snapshots.current_id() == id


def test_command_activates_on_a_running_host(host, snapshots):
    first, second = snapshots.ids()
    for id, before in ((second, first), (first, second)):
        result = CliRunner().invoke(app, ["activate", id, "--address", host.admin_target])
        assert result.exit_code == 0, result.output
        assert f"in service: {id} (before: {before})" in result.output
    assert served(host) == {first}


@pytest.mark.parametrize("page", [1, 100])
async def test_snapshots_are_listed_page_by_page(host, snapshots, monkeypatch, page):
    for module in (sync_module, async_module):
        monkeypatch.setattr(module, "LARGEST_PAGE", page)
    first, second = snapshots.ids()
    async with AsyncAdminClient(host.admin_target, timeout_s=20) as client:
        found = await client.snapshots()
    assert [info.snapshot_id for info in found.snapshots] == [second, first]
    assert found.current_id == first
    (space,) = found.snapshots[0].spaces
    assert (space.name, space.relations) == ("cf", ("alternatives",))
    assert found.snapshots[0].created_at.tzinfo
    with AdminClient(host.admin_target, timeout_s=20) as admin:
        assert admin.snapshots() == found


async def test_asynchronous_client_activates_and_says_what_is_served(host, snapshots):
    first, second = snapshots.ids()
    async with AsyncAdminClient(host.admin_target, timeout_s=20) as client:
        for id, before in ((second, first), (first, second)):
            assert (await client.activate(id)).replaced_id == before
            status = await client.status()
            assert (status.state, status.snapshot_id) == ("serving", id)
            assert status.worker_pid in statuses(host.admin_target)
            assert status.refused is None


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
    told = admin.status().refused
    assert told is not None
    assert told.snapshot_id == second
    assert served(host) == {first}
    with grpc.insecure_channel(host.target) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        status = check(health_pb2.HealthCheckRequest(), timeout=20).status
        assert status == health_pb2.HealthCheckResponse.SERVING
    vectors.write_bytes(sound)
    assert admin.activate(second).replaced_id == second
    assert served(host) == {second}
    assert not any(s.HasField("refused") for s in statuses(host.admin_target).values())
    admin.activate(first)


def test_server_without_a_watch_serves_the_first_snapshot_to_the_end(snapshots, tmp_path):
    root = VersionedRoot(tmp_path / "snapshots")
    shutil.copytree(snapshots.root, root.root)
    first, second = root.ids()
    root.use(first)
    with serving(root, tmp_path, RetrievalConfig(), watch_s=0) as child:
        root.use(second)
        with AdminClient(child.admin_target) as admin:
            assert served(child) == {first}
            admin.activate(second)  # it is alone, so that nobody has to notice
            assert served(child) == {second}
