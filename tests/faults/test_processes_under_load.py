"""Workers die and disks fill while calls are made."""

import asyncio
import os
import resource
import signal

import grpc
import pytest

from retrieval.config import RetrievalConfig
from shelfmate.v1 import admin_pb2, admin_pb2_grpc
from tests.host_channels import all_serve, replaced, statuses, workers_until
from tests.load import CALLERS, client_load, plain_load
from tests.serving import serving

pytestmark = pytest.mark.faults

DEATHS = 3


async def test_no_call_fails_while_workers_are_killed(host, snapshots):
    async with client_load(host.target) as load:
        await load.more(200)
        for _ in range(DEATHS):
            victim = next(iter(statuses(host.admin_target)))
            os.kill(victim, signal.SIGKILL)
            await load.more(200)
            await workers_until(host.admin_target, replaced(victim))
    assert not load.failures
    assert set(load.answers) == {snapshots.current_id()}


async def test_worker_that_replaces_another_one_serves_what_is_current(host, snapshots):
    first, second = snapshots.ids()
    victim = next(iter(statuses(host.admin_target)))
    async with client_load(host.target) as load:
        os.kill(victim, signal.SIGKILL)
        snapshots.use(second)
        await workers_until(host.admin_target, replaced(victim))
        await workers_until(host.admin_target, all_serve(second))
    assert not load.failures
    assert set(load.answers) <= {first, second}


async def test_no_call_fails_while_workers_are_told_to_stop(host, snapshots):
    async with client_load(host.target) as load:
        await load.more(200)
        for _ in range(DEATHS):
            victim = next(iter(statuses(host.admin_target)))
            os.kill(victim, signal.SIGTERM)
            await load.more(200)
            await workers_until(host.admin_target, replaced(victim))
    assert not load.failures
    assert set(load.answers) == {snapshots.current_id()}


async def test_callers_of_a_host_that_stops_go_on_to_the_next_one(host, snapshots, tmp_path):
    folder = tmp_path / "next"
    folder.mkdir()
    with serving(snapshots, folder, RetrievalConfig()) as following:
        both = f"ipv4:{host.target},{following.target}"
        async with client_load(both) as load:
            await load.more(200)
            host.terminate()
            assert await asyncio.to_thread(host.wait) == 0
            await load.more(200)
        assert not load.failures


async def test_callers_of_a_host_that_stops_are_told_that_it_is_unavailable(snapshots, tmp_path):
    waits = {"drain_s": 60, "dismiss_s": 60}
    with serving(snapshots, tmp_path, RetrievalConfig(), workers=2, **waits) as host:
        async with plain_load(host.target) as load:
            await load.more(200)
            host.terminate()
            assert await asyncio.to_thread(host.wait) == 0
            # Calls in flight were answered; those that came later were refused, or found nobody.
            await load.more_failures(CALLERS)
        assert set(load.failures) == {"UNAVAILABLE"}


async def test_full_disk_is_told_to_who_writes_and_to_nobody_else(host):
    change = admin_pb2.AvailabilityChange(item_id="item-0001")
    change.observed_at.seconds = 1
    request = admin_pb2.UpdateAvailabilityRequest(changes=[change])
    workers = list(statuses(host.admin_target))
    async with (
        plain_load(host.target) as load,
        grpc.aio.insecure_channel(host.admin_target) as channel,
    ):
        admin = admin_pb2_grpc.AdminServiceStub(channel)
        for pid in workers:
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await admin.UpdateAvailability(request, timeout=20)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "stock could not be written" in (caught.value.details() or "")
        await load.more(100)
        for pid in workers:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        response = await admin.UpdateAvailability(request, timeout=20)
        assert response.applied_count == 1
    assert not load.failures
