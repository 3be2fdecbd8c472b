"""The table `sessions`: the most recent sessions of every item, for session-kNN."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.manifest import Json
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.ragged import Ragged
from artifacts.recent_sessions import RECENT_SESSIONS, RecentSessions
from artifacts.versions import VersionedRoot
from trainer.inversion import sessions_by_item
from trainer.session_lists import read_session_lists
from trainer.table_artifact import TableRecipe, store_table
from trainer.tables_config import RecentSessionsConfig

TABLE = RECENT_SESSIONS


def make_recent_sessions(
    prepared: Prepared, config: RecentSessionsConfig, root: VersionedRoot, *, progress: Progress
) -> Path:
    """Collect the sessions, put the table in use, return its folder.

    Cost: O(m log m) for m events, all of them in memory.
    """
    recipe = TableRecipe(
        table=TABLE, settings=config.model_dump(mode="json"), prepared=prepared.manifest.id
    )

    def fill(folder: Path) -> Json:
        progress.start(f"table {TABLE}")
        sessions = read_session_lists(prepared.train_sessions)
        table = recent_sessions(sessions, len(prepared.items), config)
        table.save(folder)
        kept = len(table.session_items)
        progress.finish(f"{kept:,} of {table.total:,} sessions")
        return {"sessions": table.total, "kept": kept}

    return store_table(recipe, root, fill, progress=progress)


def recent_sessions(sessions: Ragged, items: int, config: RecentSessionsConfig) -> RecentSessions:
    """Return the index of VMIS-kNN (Kersbergen, Sprangers, Schelter 2022, section 3).

    Args:
        sessions: lists of vocabulary rows, oldest session first.
        items: v, the length of the vocabulary.
        config: how many sessions are kept.
    """
    by_item = sessions_by_item(sessions, items=items)
    recent = _last_reversed(by_item, config.sessions_per_item)
    used, numbers = np.unique(recent.values, return_inverse=True)  # order, so recency, is kept
    return RecentSessions(
        item_sessions=Ragged(recent.offsets, numbers.astype(np.int32)),
        session_items=_distinct(sessions.take(used), items),
        support=by_item.lengths.astype(np.int32),
        total=len(sessions),
    )


def _last_reversed(lists: Ragged, most: int) -> Ragged:
    """Return the last `most` numbers of every list, the last one first."""
    lengths = np.minimum(lists.lengths, most)
    starts = np.cumsum(lengths) - lengths
    ends = np.repeat(lists.offsets[1:] - 1 + starts, lengths)
    return Ragged.of(lengths, lists.values[ends - np.arange(len(ends))])


def _distinct(lists: Ragged, items: int) -> Ragged:
    """Return the distinct numbers of every list, ascending."""
    of_list: NDArray[np.int64] = np.repeat(np.arange(len(lists), dtype=np.int64), lists.lengths)
    codes = np.unique(of_list * items + lists.values)
    lengths = np.bincount(codes // items, minlength=len(lists))
    values: IntVector = (codes % items).astype(np.int32)
    return Ragged.of(lengths, values)
