"""Another snapshot in service of all workers of a host, by one call to one of them."""

import asyncio
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from artifacts.errors import (
    ArtifactError,
    ConflictError,
    DeadlineError,
    GateError,
    SnapshotRefusedError,
    StorageError,
    UnknownSnapshotError,
)
from artifacts.versions import VersionedRoot
from indexer.publish import activate
from server.swapper import Swapper
from server.worker_reports import WorkerReport, WorkerReports

LOCK_NAME = ".activation.lock"

POLL_S = 0.02
LONGEST_S = 120.0
"""Seconds that the other workers may take to verify, open and warm the snapshot."""


class HostSwap:
    """Activates snapshots, one at a time on the whole host.

    Args:
        snapshots: where they lie.
        swapper: of this worker.
        reports: of the others.
        follows: whether the others notice that `current` moves.
    """

    def __init__(
        self, snapshots: VersionedRoot, swapper: Swapper, reports: WorkerReports, *, follows: bool
    ) -> None:
        self._snapshots = snapshots
        self._swapper = swapper
        self._reports = reports
        self._follows = follows
        self._running: set[asyncio.Task[str]] = set()

    async def activate(self, id: str) -> str:
        """Serve a snapshot in all workers, and return the id of the one that it replaced.

        This worker loads it before `current` is moved, so that the pointer never names what cannot
        be served. Once begun it goes on to the end, whether the caller waits for it or not.

        Raises:
            UnknownSnapshotError: there is no such snapshot.
            ConflictError: another activation is under way.
            SnapshotRefusedError: it is unfit, or another worker could not take it over.
            StorageError: `current` cannot be moved.
            DeadlineError: the other workers took too long.
        """
        if id not in self._snapshots.ids():
            raise UnknownSnapshotError(
                f"snapshot_id: expected a snapshot of the host, got {id!r}", field="snapshot_id"
            )
        task = asyncio.ensure_future(self._activate(id))
        self._running.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _activate(self, id: str) -> str:
        with _only_one(self._snapshots):
            if not self._follows and self._reports.others():
                raise SnapshotRefusedError(
                    "the other workers would not notice: [server] watch_s is 0"
                )
            replaced = self._snapshots.current_id() or ""
            await self._swapper.swap_to(id, lambda: self._move_pointer(id))
            await self._served_by_all(id)
        return replaced

    def _move_pointer(self, id: str) -> None:
        try:
            if self._snapshots.current_id() == id:
                self._snapshots.use(id)  # who has refused it looks again
            else:
                activate(self._snapshots, id, now=datetime.now(UTC))
        except (ArtifactError, GateError) as error:
            raise SnapshotRefusedError(f"snapshot {id} is refused: {error}") from error
        except OSError as error:
            raise StorageError(
                f"{self._snapshots.root}: `current` could not be moved: {error}"
            ) from error

    async def _served_by_all(self, id: str, clock: Callable[[], float] = time.monotonic) -> None:
        until = clock() + LONGEST_S
        mark = self._snapshots.pointer_mark()
        while waiting := [each for each in self._reports.others() if each.snapshot_id != id]:
            for each in waiting:
                _check_not_refused(each, id, mark)
            if self._snapshots.current_id() != id:
                raise ConflictError(f"`current` was moved away from {id} meanwhile")
            if clock() >= until:
                pids = ", ".join(str(each.pid) for each in waiting)
                raise DeadlineError(f"processes {pids} did not take over {id} in {LONGEST_S:.0f} s")
            await asyncio.sleep(POLL_S)


def _check_not_refused(report: WorkerReport, id: str, mark: tuple[int, int] | None) -> None:
    """Return unless a worker refused the snapshot since the pointer was moved to it."""
    refused = report.refused
    if refused is not None and (refused.id, refused.mark) == (id, mark):
        raise SnapshotRefusedError(
            f"worker {report.index} (process {report.pid}) goes on serving "
            f"{report.snapshot_id}: {refused.reason}"
        )


@contextmanager
def _only_one(snapshots: VersionedRoot) -> Iterator[None]:
    """Hold the host's lock; it goes with the process that holds it.

    Raises:
        ConflictError: another activation has it.
        StorageError: the lock file cannot be made.
    """
    path = snapshots.root / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = "another activation is under way; try again when it has ended"
            raise ConflictError(message) from error
        yield
    finally:
        os.close(descriptor)
