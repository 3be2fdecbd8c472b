"""Workers die and disks fill while calls are made."""

import os
import resource
import signal

import grpc
import pytest

from shelfmate.v1 import admin_pb2, admin_pb2_grpc
from tests.host_channels import all_serve, replaced, statuses, workers_until
from tests.host_worker import until
from tests.load import CALLERS, client_load, plain_load

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


async def test_signal_under_load_ends_the_host_cleanly(host):
    async with plain_load(host.target) as load:
        await load.more(200)
        host.terminate()
        await until(lambda: not host.process.is_alive())
    assert host.wait() == 0
    # Calls in flight were answered; those that came later were refused. What reaches a connection in
    # the very moment in which it is closed is cancelled by gRPC itself.
    assert load.failures["UNAVAILABLE"] > 0
    assert set(load.failures) <= {"UNAVAILABLE", "CANCELLED"}
    assert load.failures["CANCELLED"] <= CALLERS


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
