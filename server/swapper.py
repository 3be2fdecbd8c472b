"""Another snapshot in service of one worker, while calls go on."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from artifacts.errors import ShelfmateError, SnapshotRefusedError
from indexer.native_threads import limit_native_threads
from retrieval.recommender import Recommender
from server.snapshot_loader import SnapshotLoader
from server.worker import Refusal, Worker
from server.worker_reports import Refused, WorkerReports

logger = logging.getLogger(__name__)

R = TypeVar("R")


class Swapper:
    """Loads snapshots beside the one in service and swaps them in whole.

    Belongs to the thread of the event loop; one snapshot is loaded at a time, on a thread of its
    own. Calls in flight finish with the recommender that they began with, and the last of them lets
    go of it.

    Args:
        worker: who serves.
        loader: makes recommenders.
        reports: told what is served.

    Attributes:
        swaps: snapshots that replaced another one.
        refusals: snapshots that could not.
    """

    def __init__(self, worker: Worker, loader: SnapshotLoader, reports: WorkerReports) -> None:
        self._worker = worker
        self._loader = loader
        self._snapshots = loader.snapshots
        self._reports = reports
        self._thread = ThreadPoolExecutor(
            1, "swap", initializer=limit_native_threads, initargs=(1,)
        )
        self._turn = asyncio.Lock()
        self._mark: tuple[int, int] | None = None
        self.swaps = 0
        self.refusals = 0

    @property
    def serving_id(self) -> str:
        """Id of the snapshot in service; empty before the first one."""
        activation = self._worker.activation
        return "" if activation is None else activation.recommender.state.snapshot.id

    async def start(self) -> None:
        """Put the current snapshot in service, the first one of this worker.

        Where it is unfit, and other workers of the host serve another one, that one is served here,
        too: a worker that takes the place of a dead one must not fail for what the others refused.

        Raises:
            ArtifactError: there is none, or it is damaged or of another format.
            ConfigError: a serving config names a space or relation that it lacks.
            StorageError: what is known of stock cannot be read.
        """
        async with self._turn:
            self._reports.write()
            # Read before the pointer itself: what moves in between is noticed later.
            self._mark = self._snapshots.pointer_mark()
            id = self._snapshots.current(hint="shelfmate publish").name
            try:
                self._activate(await self._off_loop(lambda: self._loader.load(id)))
            except ShelfmateError as error:
                others = {report.snapshot_id for report in self._reports.others()} - {"", id}
                if not others:
                    raise
                instead = min(others)
                self._activate(await self._off_loop(lambda: self._loader.load(instead)))
                self._refuse(id, str(error))

    async def follow(self, every_s: float) -> None:
        """Serve what `current` names, whenever it moves, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.catch_up()
            except Exception:  # a watch that ends would keep the host on an old snapshot in silence
                logger.exception("snapshot not followed")

    async def catch_up(self) -> None:
        """Serve what `current` names if it moved; what is unfit is refused until it moves again."""
        if self._snapshots.pointer_mark() == self._mark:
            return
        async with self._turn:
            mark = self._snapshots.pointer_mark()
            id = self._snapshots.current_id()
            if mark == self._mark:
                return
            self._mark = mark
            if id is None or id == self.serving_id:
                self._worker.refusal = None
                self._reports.write(snapshot_id=self.serving_id)
                return
            with contextlib.suppress(SnapshotRefusedError):  # counted and told already
                await self._swap(id)

    async def swap_to(self, id: str, move_pointer: Callable[[], None]) -> None:
        """Load a snapshot, move `current` to it, and serve it; if one fails, the old one goes on.

        Args:
            id: the snapshot.
            move_pointer: moves `current`; called on a thread once the snapshot is known to be fit.

        Raises:
            SnapshotRefusedError: it is unfit.
            Exception: whatever `move_pointer` raises.
        """
        async with self._turn:
            if id == self.serving_id:
                await self._off_loop(move_pointer)
                self._worker.refusal = None
                self._reports.write(snapshot_id=id)
            else:
                await self._swap(id, move_pointer)

    def close(self) -> None:
        """Start nothing more; what loads is thrown away."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._reports.withdraw()

    async def _swap(self, id: str, move_pointer: Callable[[], None] | None = None) -> None:
        replaced = self.serving_id
        logger.info("loading snapshot=%s beside=%s", id, replaced)
        try:
            recommender = await self._off_loop(lambda: self._loader.load_beside(id))
        except SnapshotRefusedError as error:
            self._refuse(id, str(error))
            raise
        if move_pointer is not None:
            await self._off_loop(move_pointer)
        self._activate(recommender)
        self.swaps += 1
        logger.info("swapped snapshot=%s replaced=%s", id, replaced)

    def _activate(self, recommender: Recommender) -> None:
        id = recommender.state.snapshot.id
        self._worker.activate(recommender, now=datetime.now(UTC))
        self._reports.write(snapshot_id=id)
        # What is loaded lives long: the collector need not look at it again. It looks at nothing
        # but what came since the last freeze. References, not the collector, free the old one.
        gc.collect()
        gc.freeze()

    def _refuse(self, id: str, reason: str) -> None:
        self.refusals += 1
        self._worker.refuse(Refusal(id, reason, datetime.now(UTC)))
        refused = Refused(id, reason, self._mark)
        self._reports.write(snapshot_id=self.serving_id, refused=refused)
        logger.error("snapshot refused serving=%s reason=%s", self.serving_id, reason)

    async def _off_loop(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
