"""The table `covisitation`: the items that share most sessions with an item, damped."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.covisitation import COVISITATION, CovisitationTable
from artifacts.manifest import Json
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.ragged import Ragged
from artifacts.versions import VersionedRoot
from trainer.covisitation_kernels import covisited
from trainer.inversion import sessions_by_item
from trainer.table_artifact import TableRecipe, store_table
from trainer.tables_config import CovisitationConfig
from trainer.weighted_lists import WeightedLists, read_weighted_lists

TABLE = COVISITATION
ITEMS_PER_TASK = 2_048


def make_covisitation(
    prepared: Prepared, config: CovisitationConfig, root: VersionedRoot, *, progress: Progress
) -> Path:
    """Count, put the table in use, return its folder.

    Cost: as `count_covisitation`; the sessions, their inversion and the table in memory.
    """
    recipe = TableRecipe(
        table=TABLE,
        settings=config.model_dump(mode="json", exclude={"threads"}),
        prepared=prepared.manifest.id,
    )

    def fill(folder: Path) -> Json:
        sessions = read_weighted_lists(prepared.train_sessions, use=config.kind_weights)
        table = count_covisitation(sessions, len(prepared.items), config, progress=progress)
        table.save(folder)
        return {"sessions": len(sessions.lists), "pairs": len(table.counts)}

    return store_table(recipe, root, fill, progress=progress)


def count_covisitation(
    sessions: WeightedLists, items: int, config: CovisitationConfig, *, progress: Progress
) -> CovisitationTable:
    """Return the best neighbours of each item by n(i, j) / sqrt(n(j) + smoothing).

    n(i, j) are the sessions that hold both, each counted once or by 1 / (places between the two at
    their nearest); n(j) are those that hold the neighbour. Where events weigh differently, a
    session counts as the lighter of the heaviest event of i and that of j. n(j) and the counts of
    the table stay numbers of sessions, so a heavier kind never damps the items that it speaks for.

    Args:
        sessions: lists of vocabulary rows, and weights if events weigh differently.
        items: v, the length of the vocabulary.
        config: every knob.
        progress: gets one step an item.

    Cost: O(sum over sessions of length^2), over all threads; memory of v sums a thread.
    """
    by_item = sessions_by_item(sessions.lists, items=items)
    holders = np.maximum(by_item.lengths, 1)  # an item of no session is nobody's neighbour
    task = _Task(sessions, by_item, 1 / np.sqrt(holders + config.smoothing), config)
    progress.start(f"table {TABLE}", total=items)
    parts = []
    with ThreadPoolExecutor(config.threads or os.cpu_count() or 1) as pool:
        for part in pool.map(task.run, range(0, items, ITEMS_PER_TASK)):
            parts.append(part)
            progress.advance(len(part.lengths))
    table = CovisitationTable(
        neighbors=Ragged.of(
            np.concatenate([part.lengths for part in parts]),
            np.concatenate([part.rows for part in parts]),
        ),
        scores=np.concatenate([part.scores for part in parts]),
        counts=np.concatenate([part.counts for part in parts]),
    )
    progress.finish(f"{len(table.counts):,} pairs")
    return table


@dataclass(frozen=True, slots=True)
class _Part:
    """Neighbours of some items, end to end."""

    lengths: IntVector
    rows: IntVector
    scores: FloatVector
    counts: IntVector


@dataclass(frozen=True, slots=True)
class _Task:
    """What is counted, for any part of the vocabulary."""

    sessions: WeightedLists
    by_item: Ragged
    damping: NDArray[np.float64]
    config: CovisitationConfig

    def run(self, first: int) -> _Part:
        """Count for up to ITEMS_PER_TASK items from `first` on."""
        shape = (min(ITEMS_PER_TASK, len(self.by_item) - first), self.config.top_k)
        rows = np.full(shape, -1, dtype=np.int32)
        scores = np.empty(shape, dtype=np.float32)
        counts = np.empty(shape, dtype=np.int32)
        lists, weights = self.sessions.lists, self.sessions.weights
        covisited(
            first,
            lists.offsets,
            lists.values,
            np.empty(0, dtype=np.float32) if weights is None else weights,
            self.by_item.offsets,
            self.by_item.values,
            self.damping,
            self.config.distance == "reciprocal",
            self.config.min_sessions,
            rows,
            scores,
            counts,
        )
        hits = rows >= 0
        lengths = hits.sum(axis=1, dtype=np.int32)
        return _Part(lengths, rows[hits], scores[hits], counts[hits])
