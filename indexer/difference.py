"""Hold the lists of one snapshot against those of another."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.catalog import Catalog
from artifacts.errors import ArtifactError
from artifacts.neighbors import PAD_ROW, NeighborTable
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from artifacts.vocabulary import Vocabulary
from indexer.difference_kernels import compare_lists
from indexer.difference_report import Difference, Mover, TableDifference

log = logging.getLogger(__name__)

PERSISTENCE = 0.9
"""The first ten places hold 86 % of the weight (Webber et al. 2010, section 4.3)."""

MOVERS = 10
SHOWN_NEIGHBORS = 3
LISTS_AT_ONCE = 1 << 14
IDS_AT_ONCE = 1 << 16
GONE = -2
"""Stands for a neighbour that the other snapshot does not know."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared of a snapshot, sealed or not.

    Attributes:
        id: its name.
        items: vocabulary.
        catalog: titles and popularity.
        neighbors: tables by space and relation.
    """

    id: str
    items: Vocabulary
    catalog: Catalog
    neighbors: Mapping[tuple[str, Relation], NeighborTable]

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Side":
        """Take what is compared out of a snapshot."""
        return cls(snapshot.id, snapshot.items, snapshot.catalog, snapshot.neighbors)


def side_in_service(root: VersionedRoot) -> Side | None:
    """Return what can be compared of the snapshot in service; None if there is none.

    One that cannot be opened is logged and counts as none: it must not hold up the next one.
    """
    id = root.current_id()
    if id is None:
        return None
    try:
        return Side.of(Snapshot.open(root.path(id), check=False))
    except ArtifactError as error:
        log.warning("snapshot_not_compared snapshot=%s reason=%s", id, error)
        return None


def compare_snapshots(before: Side, after: Side, *, movers: int = MOVERS) -> Difference:
    """Compare the lists of all items that both snapshots know, by id.

    Args:
        before: the earlier one.
        after: the later one.
        movers: items to be named for each table.

    Cost: O(n k^2) comparisons of integers for n lists of k, and a look-up of every id.
    """
    rows_after = _rows_after(before.items, after.items)
    common = [which for which in after.neighbors if which in before.neighbors]
    return Difference(
        before=before.id,
        after=after.id,
        tables=tuple(
            _Comparison(before, after, rows_after, which).table(movers) for which in common
        ),
        tables_gained=_names(set(after.neighbors) - set(before.neighbors)),
        tables_lost=_names(set(before.neighbors) - set(after.neighbors)),
    )


def _names(tables: set[tuple[str, Relation]]) -> tuple[str, ...]:
    return tuple(sorted(f"{space} {relation}" for space, relation in tables))


def _rows_after(before: Vocabulary, after: Vocabulary) -> IntVector:
    """Return (v,) the row of each earlier item in the later vocabulary, `GONE` without one."""
    rows = np.empty(len(before), dtype=np.int32)
    for start in range(0, len(before), IDS_AT_ONCE):
        stop = min(start + IDS_AT_ONCE, len(before))
        rows[start:stop] = after.rows(before.ids(range(start, stop)))
    return np.where(rows >= 0, rows, GONE).astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One table against another, in rows of the later snapshot where there are any."""

    before: Side
    after: Side
    rows_after: IntVector
    which: tuple[str, Relation]

    def table(self, movers: int) -> TableDifference:
        was, now = self._sources(self.before), self._sources(self.after)  # (v,) bool each
        known = self.rows_after >= 0
        stays = np.zeros(len(was), dtype=np.bool_)
        stays[known] = was[known] & now[self.rows_after[known]]
        rows = np.flatnonzero(stays).astype(np.int32)
        jaccard, overlap, same = self._measure(rows)
        return TableDifference(
            space=self.which[0],
            relation=self.which[1],
            both=len(rows),
            gained=int(now.sum()) - len(rows),
            lost=int(was.sum()) - len(rows),
            jaccard=_mean(jaccard),
            overlap=_mean(overlap),
            unchanged=_mean(same),
            movers=self._movers(rows, overlap, movers),
        )

    def _sources(self, side: Side) -> NDArray[np.bool_]:
        """Tell of each row of a vocabulary whether it has neighbours."""
        table = side.neighbors[self.which]
        if not len(table.rows):
            return np.zeros(len(side.items), dtype=np.bool_)
        listed = np.asarray(table.rows[:, 0]) >= 0
        sources: NDArray[np.bool_] = (table.positions >= 0) & listed[table.positions]
        return sources

    def _measure(self, rows: IntVector) -> tuple[FloatVector, FloatVector, NDArray[np.bool_]]:
        one, other = self.before.neighbors[self.which], self.after.neighbors[self.which]
        jaccard, overlap = np.empty((2, len(rows)), dtype=np.float32)
        same = np.empty(len(rows), dtype=np.bool_)
        for start in range(0, len(rows), LISTS_AT_ONCE):
            part = slice(start, start + LISTS_AT_ONCE)
            before = one.rows[one.positions[rows[part]]]
            before = np.where(before >= 0, self.rows_after[before], np.int32(PAD_ROW))
            after = np.array(other.rows[other.positions[self.rows_after[rows[part]]]])
            compare_lists(before, after, PERSISTENCE, jaccard[part], overlap[part])
            shared = min(before.shape[1], after.shape[1])
            same[part] = (before[:, :shared] == after[:, :shared]).all(axis=1)
        return jaccard, overlap, same

    def _movers(self, rows: IntVector, overlap: FloatVector, count: int) -> tuple[Mover, ...]:
        popularity = np.asarray(self.before.catalog.popularity)[rows]
        order = np.lexsort((rows, -popularity.astype(np.int64), overlap))[:count]
        return tuple(
            self._mover(int(rows[place]), float(overlap[place]))
            for place in order
            if overlap[place] < 1
        )

    def _mover(self, row: int, overlap: float) -> Mover:
        after = int(self.rows_after[row])
        return Mover(
            id=self.before.items.id(row),
            title=self.after.catalog.titles[after],
            overlap=overlap,
            before=self._best(self.before, row),
            after=self._best(self.after, after),
        )

    def _best(self, side: Side, row: int) -> tuple[str, ...]:
        found = side.neighbors[self.which].lookup(row)
        assert found is not None, "bug: an item that was compared has no list"
        best = [int(other) for other in found[0][:SHOWN_NEIGHBORS] if other >= 0]
        return tuple(side.catalog.titles[other] or side.items.id(other) for other in best)


def _mean(values: NDArray[np.float32] | NDArray[np.bool_]) -> float:
    return float(values.mean(dtype=np.float64)) if len(values) else 0.0
