"""Finished blocks of lists, kept aside until a table is whole (docs/adr/0013)."""

import fcntl
import io
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

from artifacts.folders import write_file
from indexer.precompute.part_search import Lists

STORES_NAME = ".neighbors"
"""Folder beside the snapshots; a root of versions does not look at names that begin with a dot."""
LOCK_NAME = "lock"


@dataclass(frozen=True, slots=True)
class BlockStore:
    """A folder of blocks, one file each, written whole or not at all."""

    folder: Path

    def path(self, number: int) -> Path:
        """Return the file of a block."""
        return self.folder / f"{number:07d}.npz"

    def write(self, number: int, lists: Lists) -> None:
        """Keep a block.

        Raises:
            OSError: it cannot be written.
        """
        buffer = io.BytesIO()
        np.savez(buffer, rows=lists.rows, scores=lists.scores, removed=lists.removed)
        write_file(self.path(number), buffer.getvalue())

    def read(self, number: int) -> Lists | None:
        """Return a block, or None if it is not there or does not pass its checksums."""
        try:
            with np.load(io.BytesIO(self.path(number).read_bytes())) as arrays:
                return Lists(arrays["rows"], arrays["scores"], arrays["removed"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None


@dataclass(slots=True)
class BlockStores:
    """All stores below a root, of which one process at a time may claim each.

    A claim is a lock on an open file: it ends with its process however that ends, and the blocks
    stay for the next one. As a context, it gives up its claims at the end and removes what is
    theirs, and what was left behind by others, if all went well.
    """

    root: Path
    _claims: dict[Path, int] = field(default_factory=dict)

    def claim(self, name: str) -> BlockStore:
        """Return the store `name`, or another one for the same blocks while that one is claimed.

        Args:
            name: fingerprint of all that the blocks depend on.
        """
        for attempt in count():
            folder = self.root / (f"{name}-{attempt}" if attempt else name)
            if folder not in self._claims and self._lock(folder):
                return BlockStore(folder)
        raise AssertionError("bug: counting came to an end")

    def _lock(self, folder: Path) -> bool:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_NAME, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had the claim before may have removed the folder in between.
            held = os.fstat(descriptor).st_ino == (folder / LOCK_NAME).stat().st_ino
        except OSError:
            held = False
        if held:
            self._claims[folder] = descriptor
        else:
            os.close(descriptor)
        return held

    def __enter__(self) -> "BlockStores":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            for folder in self._removable():
                shutil.rmtree(folder, ignore_errors=True)
        for descriptor in self._claims.values():
            os.close(descriptor)
        self._claims.clear()
        if kind is None:
            with suppress(OSError):  # blocks of another builder lie there, or it was quicker
                self.root.rmdir()

    def _removable(self) -> Iterator[Path]:
        if not self.root.is_dir():
            return
        for folder in sorted(self.root.iterdir()):
            if folder in self._claims or self._lock(folder):
                yield folder
