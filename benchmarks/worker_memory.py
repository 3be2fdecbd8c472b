"""What each further worker costs in memory, and how soon a server answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from benchmarks.growth_rows import made_queries
from benchmarks.search_record import Bar
from benchmarks.serving_host import HostSettings, hosting
from benchmarks.serving_record import ServingRecord
from shelfmate.client import Client

WORKERS = 2
STARTS = 3
CONNECTIONS = 16
"""The kernel spreads connections over workers; that all of so many go to one happens once in 32,768
times."""
SEARCHES = 300
SEARCH_BATCH = 100
LISTS = 10_000
LIST_BATCH = 1_000
ANSWER_S = 120.0
SEED = 11
PRIVATE_SHARE = 0.15
READY_S = 5.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process holds, by /proc/<pid>/smaps_rollup.

    Attributes:
        resident: bytes in memory, those of mapped files among them.
        private: bytes of them that no other process maps.
    """

    resident: int
    private: int

    @classmethod
    def of_process(cls, pid: int) -> "Memory":
        """Read what a process holds."""
        return cls.of_rollup(Path(f"/proc/{pid}/smaps_rollup").read_text("ascii"))

    @classmethod
    def of_rollup(cls, text: str) -> "Memory":
        """Read the lines of the kernel's report."""
        pairs = (line.split(":", 1) for line in text.splitlines() if line.endswith("kB"))
        kib = {name: int(rest.split()[0]) for name, rest in pairs}
        private = sum(number for name, number in kib.items() if name.startswith("Private_"))
        return cls(kib["Rss"] << 10, private << 10)


def measure_memory(name: str, settings: HostSettings, record: ServingRecord) -> list[Bar]:
    """Measure how soon a server of one worker is ready, and what the second of two workers holds.

    Both have answered the same questions by then, so that what is mapped is in memory, and shared.

    Args:
        name: of what is served.
        settings: serve it.
        record: where results go.
    """
    ready_s = []
    for _ in range(STARTS):
        with hosting(settings) as server:
            ready_s.append(server.ready_s)
    with hosting(settings, workers=WORKERS) as server:
        _ask(server.address, _ids(settings))
        _, *workers = server.family()
        held = [Memory.of_process(worker.pid) for worker in workers]
    return memory_bars(name, held, ready_s, record)


def _ask(address: str, ids: Sequence[str]) -> None:
    """Search for vectors and look lists up, the same ones over every connection in turn."""
    queries = made_queries(SEARCHES, seed=SEED)
    with Client(address, connections=CONNECTIONS, timeout_s=ANSWER_S) as client:
        for start in range(0, len(queries), SEARCH_BATCH):
            for _ in range(CONNECTIONS):
                client.neighbors(queries[start : start + SEARCH_BATCH].tolist())
        for start in range(0, len(ids), LIST_BATCH):
            for _ in range(CONNECTIONS):
                client.similar(ids[start : start + LIST_BATCH])


def _ids(settings: HostSettings) -> list[str]:
    """Return some items of the snapshot in service."""
    folder = VersionedRoot(settings.snapshots).current(hint="shelfmate publish")
    items = Snapshot.open(folder, check=False).items
    rows = np.random.default_rng(SEED).integers(0, len(items), LISTS)
    return items.ids(rows.astype(np.int32))


def memory_bars(
    name: str, held: list[Memory], ready_s: list[float], record: ServingRecord
) -> list[Bar]:
    """Judge the memory of the workers of a server and the times of its starts, and keep them."""
    first, *further = held
    most = max(each.private for each in further)
    ready = float(np.median(ready_s))
    metrics = {
        "resident_bytes": float(first.resident),
        "private_bytes": float(most),
        "first_private_bytes": float(first.private),
        "ready_s": ready,
        "slowest_ready_s": max(ready_s),
    }
    record.keep(f"memory, {name}", metrics, workers=len(held), starts=len(ready_s), served=name)
    share = Bar(
        f"{name}: a further worker's private memory / resident set of the first",
        most / first.resident,
        PRIVATE_SHARE,
        most=True,
    )
    ready_bar = Bar(f"{name}: seconds from start to ready", ready, READY_S, most=True)
    mib = f"{most / 2**20:.0f} of {first.resident / 2**20:.0f} MiB"
    starts = f"median of {len(ready_s)} starts, {min(ready_s):.1f} to {max(ready_s):.1f} s"
    return [record.keep_bar(share, mib), record.keep_bar(ready_bar, starts)]
