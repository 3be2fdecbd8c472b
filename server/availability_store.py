"""What the workers of a host know of stock, in one SQLite file that outlives them."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from artifacts.errors import StorageError

STORE_NAME = "availability.sqlite3"

BUSY_S = 5.0
"""Seconds to wait for another worker that writes; a full batch takes well under one."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    item_id TEXT PRIMARY KEY,
    available INTEGER NOT NULL,
    observed_ns INTEGER NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS items_by_version ON items (version, item_id, available);
"""

UPSERT = """
INSERT INTO items VALUES (?, ?, ?, ?)
ON CONFLICT (item_id) DO UPDATE SET
    available = excluded.available,
    observed_ns = excluded.observed_ns,
    version = excluded.version
WHERE excluded.observed_ns >= items.observed_ns
"""

SINCE = """
SELECT item_id, available FROM items WHERE version > ?1 AND (available = 0 OR ?1 > 0)
ORDER BY version
"""
"""Who knows nothing yet takes all for available, and need not be told."""


class StockChange(NamedTuple):
    """One item's stock from some moment on."""

    item_id: str
    available: bool
    observed_ns: int
    """Since the epoch."""


class StockNews(NamedTuple):
    """Items whose stock has changed since a version, each as it is now."""

    version: int
    """Number of the last change."""
    item_ids: Sequence[str]
    available: Sequence[bool]


class AvailabilityStore:
    """Keeps the newest word on each item, also of items that no snapshot knows yet.

    Each batch that changes something has a number, its version, higher than all before; readers ask
    for what came after the last one they saw (decision 0015). Write-ahead logging lets them read while another
    worker writes. Threads may share it, one at a time.

    Args:
        path: of the file, made where it is not there. It must lie on a disk of this host: the log
            does not work across a network.

    Raises:
        StorageError: the file cannot be opened, made or read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._guarded("opened"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _alone_in(path.parent):
                self._database = sqlite3.connect(
                    path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
                )
                self._database.execute("PRAGMA journal_mode = WAL")
                # What was acknowledged is on the disk.
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.executescript(SCHEMA)

    def apply(self, changes: Sequence[StockChange]) -> int:
        """Keep changes, and return how many were not older than what was known.

        All of them are kept or, where this raises, none.

        Raises:
            StorageError: the disk is full, or the file cannot be written.

        Cost: one flush to the disk.
        """
        with self._guarded("written"):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                version = self._last_version() + 1
                applied = 0
                for change in changes:
                    applied += self._database.execute(UPSERT, (*change, version)).rowcount
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # some errors have rolled back by themselves
                    self._database.execute("ROLLBACK")
                raise
        return applied

    def since(self, version: int) -> StockNews:
        """Return what has changed after a version; 0 asks for all that is out of stock.

        Raises:
            StorageError: the file cannot be read.

        Cost: one look into an index, then O(what has changed).
        """
        with self._guarded("read"):
            last = self._last_version()
            if last <= version:
                return StockNews(version, (), ())
            # Written in between, a change may be told twice, which does no harm.
            rows = self._database.execute(SINCE, (version,)).fetchall()
        return StockNews(last, [row[0] for row in rows], [bool(row[1]) for row in rows])

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def _last_version(self) -> int:
        (last,) = self._database.execute("SELECT max(version) FROM items").fetchone()
        return last or 0

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"{self._path}: stock could not be {what}: {error}") from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold off other workers that open the file at the same time.

    Of two that find it new only one may turn it to write-ahead logging; SQLite lets the other fail at
    once, however long it is told to wait.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
