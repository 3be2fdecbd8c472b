"""Several workers behind one port, with real processes."""

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator

import grpc
import psutil
import pytest

from artifacts.errors import ArtifactError, ConfigError
from artifacts.versions import VersionedRoot
from server.app import serve
from server.config import ServerConfig
from shelfmate.client import Client, Options
from shelfmate.v1 import admin_pb2, admin_pb2_grpc, recommender_pb2_grpc
from shelfmate.v1 import recommender_pb2 as pb
from tests.patience import wait_until
from tests.serving import Child, serving
from tests.shop import item_id

WORKERS = 2
PATIENCE_S = 60
OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


@pytest.fixture(scope="module")
def host(tiny_snapshots, tiny_configs, tmp_path_factory) -> Iterator[Child]:
    folder = tmp_path_factory.mktemp("workers")
    with serving(tiny_snapshots, folder, tiny_configs, workers=WORKERS) as host:
        yield host


def status_of(host: Child) -> admin_pb2.GetServingStatusResponse:
    """Ask over a new connection: which worker has it is for the kernel to say."""
    with grpc.insecure_channel(host.admin_target, options=OWN_CONNECTION) as channel:
        stub = admin_pb2_grpc.AdminServiceStub(channel)
        return stub.GetServingStatus(
            admin_pb2.GetServingStatusRequest(), timeout=PATIENCE_S, wait_for_ready=True
        )


def workers_of(host: Child) -> dict[int, int]:
    """Return the pids of the workers by their places."""
    found: dict[int, int] = {}
    until_s = time.monotonic() + PATIENCE_S
    while len(found) < WORKERS and time.monotonic() < until_s:
        status = status_of(host)
        found[status.worker_index] = status.worker_pid
    return found


def wait_until_gone(pid: int) -> None:
    try:
        psutil.Process(pid).wait(PATIENCE_S)
    except psutil.NoSuchProcess:
        return


def test_connections_are_spread_over_workers_that_know_their_places(host):
    workers = workers_of(host)
    assert set(workers) == {0, 1}
    assert len(set(workers.values())) == WORKERS
    assert host.process.pid not in workers.values()


def test_supervisor_holds_no_snapshot(host):
    maps = psutil.Process(host.process.pid).memory_maps()
    assert not [found.path for found in maps if "snapshots" in found.path]
    held = psutil.Process(workers_of(host)[0]).memory_maps()
    assert [found.path for found in held if "snapshots" in found.path]


def test_worker_killed_under_load_fails_no_call_and_is_replaced(host):
    victim = workers_of(host)[1]
    stop, answers, failures = threading.Event(), Counter[int](), []

    def load(caller: int) -> None:
        with Client(host.target, timeout_s=PATIENCE_S, connections=4) as client:
            while not stop.is_set():
                try:
                    client.similar([item_id(0)], Options(k=3))
                    answers[caller] += 1
                except Exception as error:
                    failures.append(error)

    threads = [threading.Thread(target=load, args=(caller,)) for caller in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(answers) == 4 and min(answers.values()) > 20)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in workers_of(host).values())
        workers = workers_of(host)
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert failures == []
    assert len(workers) == WORKERS
    assert victim not in workers.values()


def test_sigterm_ends_all_workers_and_leaves_nothing(tiny_snapshots, tiny_configs, tmp_path):
    with serving(tiny_snapshots, tmp_path, tiny_configs, workers=WORKERS) as host:
        family = psutil.Process(host.process.pid).children(recursive=True)
        assert len(family) >= WORKERS
        host.terminate()
        assert host.wait() == 0
        assert [child for child in family if child.is_running()] == []
        assert not (tmp_path / "port").exists()


def test_workers_of_a_supervisor_that_was_killed_end_by_themselves(
    tiny_snapshots, tiny_configs, tmp_path
):
    with serving(tiny_snapshots, tmp_path, tiny_configs, workers=WORKERS) as host:
        workers = list(workers_of(host).values())
        host.terminate(signal.SIGKILL)
        for pid in workers:
            wait_until_gone(pid)


def test_what_keeps_workers_from_starting_is_raised_by_the_supervisor(tmp_path, tiny_configs):
    config = ServerConfig(port=0, workers=WORKERS)
    with pytest.raises(ArtifactError, match="shelfmate publish"):
        serve(config, tiny_configs, VersionedRoot(tmp_path / "nothing"))


def test_workers_share_a_port_among_themselves_alone(host, tiny_snapshots, tiny_configs):
    with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{host.port} cannot be bound"):
        serve(ServerConfig(port=host.port, workers=WORKERS), tiny_configs, tiny_snapshots)


async def test_concurrent_searches_find_what_each_finds_alone(host):
    requests = [
        pb.SearchNeighborsRequest(requests=[pb.NeighborQuery(item_id=item_id(row))])
        for row in range(100, 200)
        if row % 10 != 1
    ]
    async with grpc.aio.insecure_channel(host.target) as channel:
        stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
        together = await asyncio.gather(
            *(stub.SearchNeighbors(request, timeout=PATIENCE_S) for request in requests)
        )
        for request, response in zip(requests, together, strict=True):
            alone = await stub.SearchNeighbors(request, timeout=PATIENCE_S)
            assert ids_of(response) == ids_of(alone)


def ids_of(response: pb.SearchNeighborsResponse) -> list[list[str]]:
    return [
        [item.item_id for item in outcome.recommendations.items] for outcome in response.outcomes
    ]
