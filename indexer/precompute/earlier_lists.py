"""Lists of an earlier snapshot, where nothing that they depend on has changed."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from artifacts.arrays import IntMatrix, IntVector, map_array
from artifacts.errors import ArtifactError
from artifacts.manifest import Manifest, read_manifest, verify_file
from artifacts.neighbors import PAD_ROW, NeighborTable
from artifacts.relation import Relation
from artifacts.snapshot import IndexEntry, ListedPart, NeighborsEntry, SnapshotContents
from artifacts.versions import VersionedRoot
from indexer.precompute.part_search import Lists
from indexer.row_index import ROWS_NAME

LISTS_AT_ONCE = 1 << 14

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListsToCopy:
    """The lists of one part, in the numbers of that part."""

    table: NeighborTable
    rows: IntVector
    listed: ListedPart

    def blocks(self) -> Iterator[tuple[IntVector, Lists]]:
        """Yield numbers within the part and their lists, in bounded memory."""
        for start in range(0, len(self.rows), LISTS_AT_ONCE):
            rows = self.rows[start : start + LISTS_AT_ONCE]
            lines = self.table.positions[rows]
            items = np.arange(start, start + len(rows), dtype=np.int32)
            numbers = self._within_part(self.table.rows[lines])
            yield items, Lists(numbers, self.table.scores[lines], np.zeros(3, dtype=np.int64))

    def _within_part(self, rows: IntMatrix) -> IntMatrix:
        numbers = np.searchsorted(self.rows, rows)
        return np.where(rows >= 0, numbers, PAD_ROW).astype(np.int32)


@dataclass(frozen=True, slots=True)
class EarlierLists:
    """The tables of one sealed snapshot."""

    folder: Path
    manifest: Manifest
    contents: SnapshotContents
    _verified: set[str] = field(default_factory=set)

    @classmethod
    def newest(cls, root: VersionedRoot) -> "EarlierLists | None":
        """Return those of the newest snapshot of a root, published or not; None if there is none.

        Lists are copied by what they depend on, so it does not matter what the gate said.
        """
        ids = root.ids()
        if not ids:
            return None
        try:
            manifest = read_manifest(root.path(ids[-1]), "snapshot")
            contents = SnapshotContents.model_validate(manifest.details)
        except (ArtifactError, ValidationError) as error:
            log.warning("lists_not_copied snapshot=%s reason=%s", ids[-1], error)
            return None
        return cls(root.path(ids[-1]), manifest, contents)

    def of(
        self, space: str, relation: Relation, category: str, fingerprint: str
    ) -> ListsToCopy | None:
        """Return the lists of a part if they are those that would be computed now.

        What is copied is compared with its checksums first; damage is logged, and not copied.
        """
        entry, index = self._entry(space, relation), self._index(space, relation, category)
        if entry is None or index is None:
            return None
        listed = entry.parts.get(category)
        if listed is None or listed.fingerprint != fingerprint:
            return None
        names = [f"{entry.folder}/{name}.npy" for name in ("positions", "rows", "scores")]
        try:
            for name in [*names, f"{index.folder}/{ROWS_NAME}"]:
                self._verify(name)
            table = NeighborTable.open(self.folder / entry.folder)
            rows = map_array(self.folder / index.folder / ROWS_NAME)
        except ArtifactError as error:
            log.warning("lists_not_copied snapshot=%s reason=%s", self.manifest.id, error)
            return None
        return ListsToCopy(table, rows, listed.model_copy(update={"copied": True}))

    def _verify(self, name: str) -> None:
        if name not in self._verified:
            verify_file(self.folder, self.manifest, name)
            self._verified.add(name)

    def _entry(self, space: str, relation: Relation) -> NeighborsEntry | None:
        entries = self.contents.neighbors
        return next((e for e in entries if (e.space, e.relation) == (space, relation)), None)

    def _index(self, space: str, relation: Relation, category: str) -> IndexEntry | None:
        wanted = (space, relation, category)
        entries = self.contents.indices
        return next((e for e in entries if (e.space, e.relation, e.category) == wanted), None)
