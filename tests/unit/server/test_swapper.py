"""One worker's snapshots: followed, swapped whole, refused and let go of."""

import asyncio
import json
import os
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from artifacts.errors import ArtifactError, SnapshotRefusedError
from artifacts.manifest import MANIFEST_NAME
from indexer.publish import publish
from retrieval.queries import SimilarBatch, SimilarQuery
from server.availability_store import StockChange
from server.place import Place
from server.worker_reports import WorkerReports
from tests.host_worker import HostWorker, copy_of
from tests.nightly_shop import hours

OTHER = Place(index=1, count=2)


@pytest.fixture
def host(two_nights, tmp_path) -> Iterator[HostWorker]:
    copy_of(two_nights, tmp_path)
    host = HostWorker.make(tmp_path)
    yield host
    host.close()


def maps_of(host: HostWorker, id: str) -> bool:
    """Whether this process maps a file of a snapshot."""
    return str(host.snapshots.path(id)) in Path("/proc/self/maps").read_text("utf-8")


async def test_snapshot_is_served_when_the_pointer_moves_and_not_before(host):
    await host.swapper.start()
    await host.swapper.catch_up()
    assert (host.serving, host.swapper.swaps) == (host.first, 0)
    publish(host.snapshots, host.second, now=hours(2))
    await host.swapper.catch_up()
    assert (host.serving, host.swapper.swaps) == (host.second, 1)


async def test_watch_follows_by_itself_and_ends_when_cancelled(host):
    await host.swapper.start()
    watch = asyncio.ensure_future(host.swapper.follow(0.01))
    host.snapshots.use(host.second)
    await host.serves(host.second)
    watch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watch


async def test_call_in_flight_keeps_its_snapshot_and_the_last_one_lets_go_of_it(host):
    await host.swapper.start()
    recommender = host.worker.begin_call()
    state = weakref.ref(recommender)
    host.snapshots.use(host.second)
    await host.swapper.catch_up()
    assert host.worker.begin_call().state.snapshot.id == host.second
    batch = SimilarBatch([SimilarQuery("item-0000")])
    assert recommender.similar(batch).outcomes
    assert recommender.state.snapshot.id == host.first
    assert maps_of(host, host.first)
    host.worker.end_call()
    del recommender
    assert state() is None
    assert not maps_of(host, host.first)
    assert maps_of(host, host.second)


async def test_damaged_snapshot_is_refused_once_and_the_old_one_serves_on(host):
    await host.swapper.start()
    host.damage(host.second)
    host.snapshots.use(host.second)
    for _ in range(3):
        await host.swapper.catch_up()
    assert host.serving == host.first
    assert host.swapper.refusals == 1
    assert host.worker.refusal is not None
    assert host.worker.refusal.snapshot_id == host.second
    assert "content differs from its checksum" in host.worker.refusal.reason


async def test_mended_snapshot_is_served_once_the_pointer_is_written_again(host):
    await host.swapper.start()
    sound = host.damage(host.second)
    host.snapshots.use(host.second)
    await host.swapper.catch_up()
    host.vectors(host.second).write_bytes(sound)
    await host.swapper.catch_up()
    assert host.serving == host.first
    host.snapshots.use(host.second)
    await host.swapper.catch_up()
    assert host.serving == host.second
    assert host.worker.refusal is None


async def test_going_back_to_what_is_served_forgets_the_refusal(host):
    await host.swapper.start()
    host.damage(host.second)
    for id in (host.second, host.first):
        host.snapshots.use(id)
        await host.swapper.catch_up()
    assert (host.serving, host.worker.refusal) == (host.first, None)


async def test_snapshot_below_the_gate_is_refused_unless_it_was_forced(host):
    await host.swapper.start()
    path = host.snapshots.path(host.second) / MANIFEST_NAME
    manifest = json.loads(path.read_text("utf-8"))
    manifest["details"]["gate"] |= {"passed": False, "failures": ["too few neighbours"]}
    path.write_text(json.dumps(manifest))
    host.snapshots.use(host.second)
    await host.swapper.catch_up()
    assert host.serving == host.first
    assert "too few neighbours" in host.worker.refusal.reason
    publish(host.snapshots, host.second, now=hours(3), force=True)
    await host.swapper.catch_up()
    assert host.serving == host.second


async def test_snapshot_that_a_serving_config_does_not_fit_is_refused(host, tmp_path):
    await host.swapper.start()
    path = host.snapshots.path(host.second) / MANIFEST_NAME
    manifest = json.loads(path.read_text("utf-8"))
    manifest["details"] |= {"indices": [], "neighbors": []}
    path.write_text(json.dumps(manifest))
    with pytest.raises(SnapshotRefusedError, match=r"\[serving\.default\]"):
        await host.swapper.swap_to(host.second, lambda: None)
    assert host.serving == host.first


async def test_pointer_that_cannot_be_moved_leaves_the_old_snapshot(host):
    def fail() -> None:
        raise OSError("read-only")

    await host.swapper.start()
    with pytest.raises(OSError, match="read-only"):
        await host.swapper.swap_to(host.second, fail)
    assert (host.serving, host.swapper.swaps) == (host.first, 0)


async def test_new_snapshot_knows_from_the_start_what_is_out_of_stock(host):
    await host.swapper.start()
    # Item 190 is unknown to the older snapshot.
    host.store.apply([StockChange("item-0007", False, 1), StockChange("item-0190", False, 1)])
    host.snapshots.use(host.second)
    await host.swapper.catch_up()
    state = host.worker.begin_call().state
    assert np.flatnonzero(state.availability.out_of_stock).tolist() == [7, 190]


async def test_worker_that_starts_beside_others_serves_what_they_do_where_current_is_unfit(
    host, tmp_path
):
    await host.swapper.start()
    host.damage(host.second)
    host.snapshots.use(host.second)
    late = HostWorker.make(tmp_path, index=1, pid=os.getppid())
    await late.swapper.start()
    assert late.serving == host.first
    assert late.worker.refusal is not None
    assert late.worker.refusal.snapshot_id == host.second
    await late.swapper.catch_up()
    assert late.swapper.refusals == 1
    host.swapper.close()
    alone = HostWorker.make(tmp_path, index=1, pid=os.getppid())
    with pytest.raises(ArtifactError, match="content differs from its checksum"):
        await alone.swapper.start()
    for worker in (late, alone):
        worker.close()


async def test_other_workers_are_told_what_is_served_and_what_is_refused(host, tmp_path):
    other = WorkerReports(OTHER.model_copy(update={"run_dir": tmp_path / "run"}), pid=2)
    await host.swapper.start()
    assert [report.snapshot_id for report in other.others()] == [host.first]
    host.damage(host.second)
    host.snapshots.use(host.second)
    await host.swapper.catch_up()
    (report,) = other.others()
    assert report.refused is not None
    assert (report.snapshot_id, report.refused.id) == (host.first, host.second)
    host.swapper.close()
    assert other.others() == []
