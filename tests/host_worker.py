"""Workers of a host without their listeners, on two small snapshots."""

import asyncio
import shutil
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from artifacts.versions import VersionedRoot
from retrieval.config import RetrievalConfig
from server.availability_store import STORE_NAME, AvailabilityStore
from server.host_swap import HostSwap
from server.place import Place
from server.snapshot_loader import SnapshotLoader
from server.swapper import Swapper
from server.worker import Identity, Watchers, Worker
from server.worker_reports import WorkerReports
from tests.nightly_shop import Shop, made, settings
from tests.patience import PATIENCE_S


def build_two_nights(folder: Path) -> VersionedRoot:
    """Build two snapshots, the second of more items, and put the first one in use."""
    shop = Shop(folder)
    exact = settings("exact")
    first, _ = shop.build(shop.inputs(made(1)), exact)
    shop.build(shop.inputs(made(2), items=200), exact, 1)
    shop.root.use(first.id)
    return shop.root


@dataclass(frozen=True)
class HostWorker:
    """One worker of a host, without its listener."""

    snapshots: VersionedRoot
    worker: Worker
    swapper: Swapper
    store: AvailabilityStore
    reports: WorkerReports
    _served: defaultdict[str, asyncio.Event]

    @classmethod
    def make(cls, folder: Path, index: int = 0, pid: int = 1) -> "HostWorker":
        """Make a worker of the host that lives in `folder`; `pid` is any process that lives."""
        snapshots = VersionedRoot(folder / "snapshots")
        (folder / "run").mkdir(exist_ok=True)
        served: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        watchers = Watchers(activated=lambda found: served[found.state.snapshot.id].set())
        identity = Identity("1", pid, datetime.now(UTC), index)
        worker = Worker(identity, max_calls=10, watchers=watchers)
        store = AvailabilityStore(folder / STORE_NAME)
        loader = SnapshotLoader(snapshots, RetrievalConfig(), store, worker.recorded)
        reports = WorkerReports(Place(index=index, count=2, run_dir=folder / "run"), pid)
        return cls(snapshots, worker, Swapper(worker, loader, reports), store, reports, served)

    @property
    def first(self) -> str:
        """Id of the older snapshot."""
        return self.snapshots.ids()[0]

    @property
    def second(self) -> str:
        """Id of the newer snapshot."""
        return self.snapshots.ids()[1]

    @property
    def serving(self) -> str:
        """Id of the snapshot in service."""
        return self.swapper.serving_id

    async def serves(self, id: str) -> None:
        """Wait until a snapshot is put in service."""
        await asyncio.wait_for(self._served[id].wait(), PATIENCE_S)

    def host_swap(self, *, follows: bool = True) -> HostSwap:
        """Return what activates snapshots on the whole host."""
        return HostSwap(self.snapshots, self.swapper, self.reports, follows=follows)

    def vectors(self, id: str) -> Path:
        """Return a file of a snapshot."""
        return self.snapshots.path(id) / "spaces" / "cf" / "vectors.npy"

    def damage(self, id: str) -> bytes:
        """Change a byte of a snapshot, and return what the file held."""
        path = self.vectors(id)
        sound = path.read_bytes()
        path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        return sound

    def close(self) -> None:
        """Let go of threads and files."""
        self.swapper.close()
        self.store.close()


def copy_of(snapshots: VersionedRoot, folder: Path) -> None:
    """Copy snapshots into the folder of a host."""
    shutil.copytree(snapshots.root, folder / "snapshots")
