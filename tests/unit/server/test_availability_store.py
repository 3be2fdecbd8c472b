"""The store of stock against a dictionary, and across processes, restarts and full disks."""

import multiprocessing
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.errors import StorageError
from server.availability_store import STORE_NAME, AvailabilityStore, StockChange

changes = st.builds(
    StockChange, st.sampled_from(["a", "b", "c", "ä\U0001f600"]), st.booleans(), st.integers(0, 5)
)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "state" / STORE_NAME


@settings(max_examples=30, deadline=None)  # each flushes to the disk, which is slow
@given(st.lists(st.tuples(st.lists(changes, max_size=6), st.booleans()), max_size=6))
def test_store_equals_a_dictionary_in_which_the_newest_time_wins(tmp_path_factory, batches):
    store = AvailabilityStore(tmp_path_factory.mktemp("store") / STORE_NAME)
    known: dict[str, tuple[int, bool]] = {}
    followed: dict[str, bool] = {}
    version = 0
    for batch, is_followed in batches:
        applied = 0
        for change in batch:
            if change.observed_ns >= known.get(change.item_id, (0, True))[0]:
                known[change.item_id] = change.observed_ns, change.available
                applied += 1
        assert store.apply(batch) == applied
        if is_followed:
            news = store.since(version)
            followed.update(zip(news.item_ids, news.available, strict=True))
            version = news.version
    news = store.since(version)
    followed.update(zip(news.item_ids, news.available, strict=True))
    out = {item_id for item_id, (_, available) in known.items() if not available}
    assert {item_id for item_id, available in followed.items() if not available} == out
    fresh = store.since(0)
    assert set(fresh.item_ids) == out
    assert not any(fresh.available)
    store.close()


def test_nothing_is_news_twice(path):
    store = AvailabilityStore(path)
    store.apply([StockChange("a", False, 1), StockChange("b", False, 1)])
    version = store.since(0).version
    assert store.since(version) == (version, (), ())
    store.apply([StockChange("a", False, 0)])  # older: no change
    assert store.since(version).item_ids == ()
    store.apply([StockChange("a", True, 2)])
    news = store.since(version)
    assert (list(news.item_ids), list(news.available)) == (["a"], [True])


def test_stock_outlives_the_process_and_is_seen_by_others(path):
    writer, reader = AvailabilityStore(path), AvailabilityStore(path)
    writer.apply([StockChange("a", False, 1)])
    assert reader.since(0).item_ids == ["a"]
    writer.close()
    reader.close()
    assert AvailabilityStore(path).since(0).item_ids == ["a"]


def write_many(path: Path, worker: int) -> None:
    store = AvailabilityStore(path)
    for step in range(20):
        store.apply([StockChange(f"{worker}-{step}", False, step), StockChange("shared", False, 1)])


def test_writers_in_several_processes_lose_nothing(path):
    context = multiprocessing.get_context("spawn")
    AvailabilityStore(path).close()
    processes = [context.Process(target=write_many, args=(path, worker)) for worker in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    store = AvailabilityStore(path)
    expected = {f"{worker}-{step}" for worker in range(2) for step in range(20)} | {"shared"}
    assert set(store.since(0).item_ids) == expected
    assert store.since(0).version == 40  # no two batches have one number


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from artifacts.errors import StorageError
from server.availability_store import AvailabilityStore, StockChange
store = AvailabilityStore(Path(sys.argv[1]))
store.apply([StockChange("kept", False, 1)])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
try:
    store.apply([StockChange(f"item-{n}", False, 1) for n in range(10_000)])
except StorageError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert store.since(0).item_ids == ["kept"]
assert store.apply([StockChange("after", False, 1)]) == 1
"""


def test_full_disk_is_told_keeps_nothing_of_the_batch_and_passes(path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "stock could not be written" in done.stdout
    assert set(AvailabilityStore(path).since(0).item_ids) == {"kept", "after"}


def test_file_that_is_no_store_is_named(path):
    path.parent.mkdir()
    path.write_bytes(b"no database at all, whatever its name says" * 100)
    with pytest.raises(StorageError, match=STORE_NAME):
        AvailabilityStore(path)


def test_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StorageError, match="could not be opened"):
        AvailabilityStore(tmp_path / "state" / STORE_NAME)


def test_workers_that_start_together_open_a_new_file_one_after_the_other(tmp_path):
    workers, rounds = 12, 20
    gate = threading.Barrier(workers)

    def opened(path: Path) -> None:
        gate.wait()
        AvailabilityStore(path).close()

    with ThreadPoolExecutor(workers) as pool:
        for number in range(rounds):
            paths = [tmp_path / str(number) / STORE_NAME] * workers
            assert list(pool.map(opened, paths)) == [None] * workers
