"""What keeps a worker up to date while it serves: its snapshot, and what is known of stock."""

import asyncio
import contextlib
from collections.abc import Sequence

from artifacts.errors import ConfigError, StorageError
from artifacts.versions import VersionedRoot
from retrieval.config import RetrievalConfig
from server.availability_store import STORE_NAME, AvailabilityStore, StockChange
from server.config import ServerConfig
from server.host_swap import HostSwap
from server.place import Place
from server.snapshot_loader import SnapshotLoader
from server.stock import Stock
from server.swapper import Swapper
from server.worker import Worker
from server.worker_reports import WorkerReports

STATE_FOLDER = "state"
"""Beside the folder of the snapshots, unless the settings name another one."""


class Upkeep:
    """Loads the first snapshot of a worker, and follows what changes on its host.

    Made inside the event loop that it will run on.

    Args:
        worker: who serves.
        config: the table [server].
        configs: the tables [serving.<name>].
        snapshots: where snapshots lie.
        place: which worker of the host it is.

    Attributes:
        snapshots: where snapshots lie.
        swapper: puts snapshots in service here.

    Raises:
        ConfigError: what the host keeps cannot be opened.
    """

    def __init__(
        self,
        worker: Worker,
        config: ServerConfig,
        configs: RetrievalConfig,
        snapshots: VersionedRoot,
        place: Place,
    ) -> None:
        self.snapshots = snapshots
        self._watch_s = config.watch_s
        self._stock = Stock(_open_store(config, snapshots), worker)
        reports = WorkerReports(place, worker.identity.pid)
        loader = SnapshotLoader(
            snapshots, configs, self._stock.store, worker.recorded, worker.watchers.watched
        )
        self.swapper = Swapper(worker, loader, reports)
        self._host_swap = HostSwap(snapshots, self.swapper, reports, follows=config.watch_s > 0)
        self._followers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Put the current snapshot in service, then follow what changes.

        Raises:
            ArtifactError: there is no snapshot, or it is damaged or of another format.
            ConfigError: a serving config names a space or relation that it lacks.
            StorageError: what is known of stock cannot be read.
        """
        await self.swapper.start()
        followers = [self._stock.follow()]
        if self._watch_s > 0:
            followers.append(self.swapper.follow(self._watch_s))
        self._followers = [asyncio.ensure_future(follower) for follower in followers]

    async def stop(self) -> None:
        """Follow no more."""
        for follower in self._followers:
            follower.cancel()
        for follower in self._followers:
            with contextlib.suppress(asyncio.CancelledError):
                await follower
        self.swapper.close()
        self._stock.close()

    async def activate(self, id: str) -> str:
        """Serve a snapshot in all workers of the host; see `HostSwap.activate`."""
        return await self._host_swap.activate(id)

    async def update_stock(self, changes: Sequence[StockChange]) -> int:
        """Keep changes of stock; see `Stock.update`."""
        return await self._stock.update(changes)


def _open_store(config: ServerConfig, snapshots: VersionedRoot) -> AvailabilityStore:
    folder = config.state_dir or snapshots.root.parent / STATE_FOLDER
    try:
        return AvailabilityStore(folder / STORE_NAME)
    except StorageError as error:
        raise ConfigError(f"[server] state_dir: {error}") from error
