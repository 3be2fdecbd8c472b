"""One call swaps all workers of a host, one call at a time."""

import asyncio
import fcntl
import os
from collections.abc import Iterator

import pytest

from artifacts.errors import (
    ConflictError,
    SnapshotRefusedError,
    StorageError,
    UnknownSnapshotError,
)
from indexer.journal import read_journal
from server.host_swap import LOCK_NAME
from tests.host_worker import HostWorker, copy_of
from tests.patience import until


@pytest.fixture
def one(two_nights, tmp_path) -> Iterator[HostWorker]:
    copy_of(two_nights, tmp_path)
    worker = HostWorker.make(tmp_path)
    yield worker
    worker.close()


@pytest.fixture
def other(one, tmp_path) -> Iterator[HostWorker]:
    worker = HostWorker.make(tmp_path, index=1, pid=os.getppid())
    yield worker
    worker.close()


async def test_activation_returns_when_all_workers_serve_the_snapshot(one, other):
    await one.swapper.start()
    await other.swapper.start()
    call = asyncio.ensure_future(one.host_swap().activate(one.second))
    await one.serves(one.second)
    assert not call.done()
    assert one.snapshots.current_id() == one.second
    await other.swapper.catch_up()
    assert await call == one.first
    assert other.serving == one.second


async def test_naming_an_older_snapshot_goes_back_and_the_journal_tells(one):
    await one.swapper.start()
    swap = one.host_swap()
    for id in (one.first, one.second, one.first):
        await swap.activate(id)
        assert one.serving == one.snapshots.current_id() == id
    await one.swapper.catch_up()
    assert one.swapper.swaps == 2
    actions = [(entry.action, entry.id) for entry in read_journal(one.snapshots.root)]
    # The first one was in use already, without a line of the journal.
    assert actions == [("publish", one.second), ("publish", one.first)]


@pytest.mark.parametrize("id", ["gone", "../snapshots", ".", LOCK_NAME])
async def test_unknown_snapshot_is_not_found(one, id):
    await one.swapper.start()
    with pytest.raises(UnknownSnapshotError, match="snapshot_id"):
        await one.host_swap().activate(id)


async def test_damaged_snapshot_moves_no_pointer(one):
    await one.swapper.start()
    one.damage(one.second)
    with pytest.raises(SnapshotRefusedError, match="content differs from its checksum"):
        await one.host_swap().activate(one.second)
    assert one.serving == one.snapshots.current_id() == one.first


async def test_second_activation_conflicts_while_one_is_under_way(one):
    await one.swapper.start()
    with (one.snapshots.root / LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ConflictError, match="under way"):
            await one.host_swap().activate(one.second)
    assert one.serving == one.first
    await one.host_swap().activate(one.second)
    assert one.serving == one.second


async def test_activation_goes_on_when_its_caller_has_gone(one, other):
    await one.swapper.start()
    await other.swapper.start()
    swap = one.host_swap()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(swap.activate(one.second), 0.01)
    await one.serves(one.second)
    with pytest.raises(ConflictError):
        await swap.activate(one.first)
    await other.swapper.catch_up()
    lock = one.snapshots.root / LOCK_NAME
    await until(lambda: is_free(lock))


def is_free(path) -> bool:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


async def test_refusal_of_another_worker_ends_the_wait_and_says_why(one, other):
    await one.swapper.start()
    await other.swapper.start()
    call = asyncio.ensure_future(one.host_swap().activate(one.second))
    await one.serves(one.second)
    one.damage(one.second)
    await other.swapper.catch_up()
    with pytest.raises(SnapshotRefusedError, match=r"worker 1 .* differs from its checksum"):
        await call
    assert other.serving == one.first


async def test_refusal_from_before_the_snapshot_was_mended_is_forgotten(one, other):
    await one.swapper.start()
    await other.swapper.start()
    sound = one.damage(one.second)
    one.snapshots.use(one.second)
    for worker in (one, other):
        await worker.swapper.catch_up()
    one.vectors(one.second).write_bytes(sound)
    call = asyncio.ensure_future(one.host_swap().activate(one.second))
    await one.serves(one.second)
    await asyncio.sleep(0)
    assert not call.done()
    await other.swapper.catch_up()
    assert await call == one.second
    assert other.serving == one.second


async def test_pointer_that_is_moved_meanwhile_ends_the_wait(one, other):
    await one.swapper.start()
    await other.swapper.start()
    call = asyncio.ensure_future(one.host_swap().activate(one.second))
    await one.serves(one.second)
    one.snapshots.use(one.first)
    with pytest.raises(ConflictError, match="meanwhile"):
        await call


async def test_dead_workers_are_not_waited_for(one, two_nights, tmp_path):
    dead = HostWorker.make(tmp_path, index=1, pid=2**22 + 1)  # beyond the highest there can be
    await one.swapper.start()
    await dead.swapper.start()
    await asyncio.wait_for(one.host_swap().activate(one.second), 30)
    dead.close()


async def test_workers_that_do_not_follow_are_named(one, other):
    await one.swapper.start()
    await other.swapper.start()
    with pytest.raises(SnapshotRefusedError, match="watch_s is 0"):
        await one.host_swap(follows=False).activate(one.second)
    assert one.snapshots.current_id() == one.first


async def test_pointer_that_cannot_be_written_is_a_fault_of_storage(one):
    await one.swapper.start()
    (one.snapshots.root / LOCK_NAME).mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        await one.host_swap().activate(one.second)
