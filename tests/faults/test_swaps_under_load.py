"""Snapshots come and go while calls are made, and no call notices."""

import os
import signal
from pathlib import Path

import grpc
import pytest

from artifacts.versions import VersionedRoot
from shelfmate.v1 import admin_pb2, admin_pb2_grpc
from tests.host_channels import all_refuse, all_serve, replaced, statuses, workers_until
from tests.load import client_load, plain_load

pytestmark = pytest.mark.faults

SWAPS = 6


def mapped(pid: int, snapshots: VersionedRoot) -> set[str]:
    """Ids of the snapshots of which a process maps something."""
    maps = Path(f"/proc/{pid}/maps").read_text("utf-8")
    return {id for id in snapshots.ids() if str(snapshots.path(id)) in maps}


async def test_no_call_fails_while_snapshots_are_swapped(host, snapshots):
    first, second = snapshots.ids()
    async with (
        plain_load(host.target) as load,
        grpc.aio.insecure_channel(host.admin_target) as channel,
    ):
        admin = admin_pb2_grpc.AdminServiceStub(channel)
        await load.more(100)
        for number in range(SWAPS):
            id = second if number % 2 == 0 else first
            request = admin_pb2.ActivateSnapshotRequest(snapshot_id=id)
            await admin.ActivateSnapshot(request, timeout=60)
            before = load.answers[id]
            await load.more(200)
            assert load.answers[id] >= before + 100
    assert not load.failures
    assert set(load.answers) == {first, second}
    workers = statuses(host.admin_target)
    assert len(workers) == 2
    # What was swapped out is let go of: nothing is left of it in any worker.
    assert [mapped(pid, snapshots) for pid in workers] == [{first}] * 2


async def test_no_call_fails_while_snapshots_are_published(host, snapshots):
    first, second = snapshots.ids()
    async with plain_load(host.target) as load:
        for id in (second, first, second):
            snapshots.use(id)
            await workers_until(host.admin_target, all_serve(id))
    assert not load.failures
    assert set(load.answers) == {first, second}


async def test_damaged_snapshot_changes_nothing_for_callers(host, snapshots):
    first, second = snapshots.ids()
    vectors = snapshots.path(second) / "spaces" / "cf" / "vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-100])
    async with client_load(host.target) as load:
        await load.more(100)
        snapshots.use(second)
        await workers_until(host.admin_target, all_refuse(second))
        await load.more(100)
        # Nor does it keep a worker from taking the place of one that died.
        victim = next(iter(statuses(host.admin_target)))
        os.kill(victim, signal.SIGKILL)
        await workers_until(host.admin_target, replaced(victim))
        await workers_until(host.admin_target, all_serve(first))
        await load.more(100)
    assert not load.failures
    assert set(load.answers) == {first}
