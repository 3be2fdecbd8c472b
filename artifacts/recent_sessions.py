"""The most recent sessions of every item, memory-mapped: what session-kNN looks up."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import IntVector
from artifacts.errors import ArtifactError
from artifacts.manifest import read_manifest
from artifacts.ragged import Ragged

RECENT_SESSIONS = "sessions"
"""Name of the table."""

ITEM_SESSIONS = "item_sessions"
SESSION_ITEMS = "session_items"
SUPPORT_NAME = "support.npy"
TOTAL_NAME = "total.json"


@dataclass(frozen=True, slots=True)
class RecentSessions:
    """Training sessions, numbered from the oldest to the most recent, and where items occur.

    A higher number is a later session, so that numbers compare as times do and no two are equal.

    Attributes:
        item_sessions: v lists of session numbers, descending (most recent first); of each item the
            most recent sessions only.
        session_items: s lists of the distinct item rows of a session, ascending. Sessions that are
            recent for none of their items are left out.
        support: (v,) int32, all training sessions that hold the item, kept here or not.
        total: all training sessions.
    """

    item_sessions: Ragged
    session_items: Ragged
    support: IntVector
    total: int

    def __len__(self) -> int:
        return len(self.support)

    def save(self, folder: Path) -> None:
        """Write the table into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.item_sessions.save(folder, ITEM_SESSIONS)
        self.session_items.save(folder, SESSION_ITEMS)
        np.save(folder / SUPPORT_NAME, self.support)
        (folder / TOTAL_NAME).write_text(json.dumps(self.total), "utf-8")

    @classmethod
    def open(cls, folder: Path) -> "RecentSessions":
        """Map a sealed table.

        Raises:
            ArtifactError: it is not sealed, a file is missing or unreadable, or the files disagree.
        """
        read_manifest(folder, "table")
        return cls.map(folder)

    @classmethod
    def map(cls, folder: Path) -> "RecentSessions":
        """Map a table that `save` wrote, sealed by itself or as a part of something else.

        Raises:
            ArtifactError: a file is missing or unreadable, or the files disagree.
        """
        try:
            support = np.asarray(np.load(folder / SUPPORT_NAME, mmap_mode="r"))
            total = int(json.loads((folder / TOTAL_NAME).read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ArtifactError(f"{folder}: recent sessions cannot be opened: {error}") from error
        items = Ragged.open(folder, ITEM_SESSIONS)
        if len(items) != len(support):
            raise ArtifactError(f"{folder}: {len(items)} lists of items, {len(support)} supports")
        return cls(items, Ragged.open(folder, SESSION_ITEMS), support, total)
