"""Index one space for one relation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.progress import Progress
from artifacts.relation import Relation
from artifacts.snapshot import IndexEntry
from indexer.build.fingerprints import index_fingerprint
from indexer.build.part_index import BuildEffort, index_part
from indexer.build.reuse import EarlierIndices, PartName
from indexer.categories import EXACT, Part, Partition, backend_of, recipe_of
from indexer.config import BackendConfig, SpaceIndexConfig
from indexer.gate import Recalls, Sampling, measure_recall
from indexer.gate_report import IndexRecall
from indexer.index import Metric
from indexer.row_index import RowIndex
from indexer.slugs import category_slug
from indexer.space_index import SpaceIndex
from indexer.target_config import TargetConfig
from indexer.tuning import Question


@dataclass(frozen=True, slots=True)
class IndexedRelation:
    """The indices of one space and relation, mapped from where they were written."""

    index: SpaceIndex
    entries: tuple[IndexEntry, ...]
    recalls: tuple[IndexRecall, ...]


@dataclass(frozen=True, slots=True)
class RelationBuilder:
    """Builds the indices of one space and relation below the folder of a snapshot.

    Attributes:
        root: folder of the snapshot.
        table: the space, or a part of it.
        relation: what neighbours mean.
        popularity: (n,) sessions that hold an item, by vocabulary row.
        effort: what the build may spend.
        earlier: indices that may be taken again.
        place: folder of the indices below `root`; empty for that of a space and relation.
    """

    root: Path
    table: EmbeddingTable
    relation: Relation
    popularity: IntVector
    effort: BuildEffort
    earlier: EarlierIndices
    place: str = ""

    def build(
        self, config: SpaceIndexConfig, cut: Partition, *, progress: Progress
    ) -> IndexedRelation:
        """Take, or build, write and measure an index for each part, and map it."""
        progress.start(f"index {self.table.space} {self.relation}", len(cut.parts))
        parts, entries, reused = {}, [], 0
        for part in cut.parts:
            name = self._fingerprint(part, config)
            entry = self._reused(part, name)
            if entry is None:
                entry = self._built(part, config, name)
            else:
                reused += 1
            entries.append(entry)
            parts[part.category] = RowIndex.open(self.root / entry.folder)
            progress.advance()
        recalls = tuple(self._recall(entry) for entry in entries if entry.recall is not None)
        progress.finish(_summary(recalls, len(entries), reused))
        index = SpaceIndex(self.table.space, self.relation, parts)
        return IndexedRelation(index, tuple(entries), recalls)

    def _fingerprint(self, part: Part, config: SpaceIndexConfig) -> str:
        """Name all that the index of a part depends on, its category and its rows left out."""
        recipe = {"metric": Metric.of(self.relation), **recipe_of(part, config)}
        matrices = [self.table.targets(self.relation)]
        if recipe["backend"] != EXACT:  # exact indices know no chance and are not measured
            recipe |= self.effort.recipe()
            if self.relation is not Relation.ALTERNATIVES:
                matrices.append(self.table.vectors)  # what recall is measured with
        return index_fingerprint(recipe, part.positions, *matrices)

    def _reused(self, part: Part, fingerprint: str) -> IndexEntry | None:
        folder, rows = self._folder(part), self.table.rows[part.positions]
        entry = self.earlier.take(fingerprint, self.root / folder, rows)
        if entry is None:
            return None
        return entry.model_copy(
            update={
                "space": self.table.space,
                "relation": self.relation,
                "category": part.category,
                "folder": folder,
            }
        )

    def _built(self, part: Part, config: SpaceIndexConfig, fingerprint: str) -> IndexEntry:
        backend = backend_of(part, config)
        place = PartName(self.table.space, self.relation, part.category)
        before = self.earlier.choice(place, backend) if isinstance(backend, TargetConfig) else None
        made = index_part(self._question(part), backend, self.effort, before)
        folder = self.root / self._folder(part)
        RowIndex(made.index, self.table.rows[part.positions]).save(folder)
        # What is measured from here on is what was written, not what was built.
        entry = self._entry(part, RowIndex.open(folder), made.config)
        return entry.model_copy(
            update={"fingerprint": fingerprint, "levels": made.levels, "tuning": made.tuning}
        )

    def _question(self, part: Part) -> Question:
        return Question(
            np.ascontiguousarray(self.table.targets(self.relation)[part.positions]),
            self.table.vectors,
            part.positions,
            Metric.of(self.relation),
            np.asarray(self.popularity)[self.table.rows[part.positions]],
        )

    def _folder(self, part: Part) -> str:
        place = self.place or f"indices/{self.table.space}/{self.relation}"
        return f"{place}/{category_slug(part.category)}"

    def _entry(self, part: Part, index: RowIndex, backend: BackendConfig) -> IndexEntry:
        measured = Recalls(None, None)
        if backend.kind != "exact":
            measured = measure_recall(
                index,
                self.table,
                self.relation,
                popularity=self.popularity,
                sampling=Sampling(self.effort.gate_queries, self.effort.seed),
            )
        return IndexEntry(
            space=self.table.space,
            relation=self.relation,
            category=part.category,
            folder=self._folder(part),
            kind=backend.kind,
            items=len(part),
            recall=measured.items,
            visit_recall=measured.visits,
        )

    def _recall(self, entry: IndexEntry) -> IndexRecall:
        assert entry.recall is not None, "bug: exact indices are not measured"
        return IndexRecall(
            space=entry.space,
            relation=entry.relation,
            category=entry.category,
            kind=entry.kind,
            queries=min(self.effort.gate_queries, entry.items),
            recall=entry.recall,
            visit_recall=entry.visit_recall,
        )


def _summary(recalls: tuple[IndexRecall, ...], indices: int, reused: int) -> str:
    taken = f", {reused} unchanged" if reused else ""
    if not recalls:
        return f"{indices} exact{taken}"
    lowest = min(entry.lowest for entry in recalls)
    return f"{indices} indices{taken}, lowest recall@10 {lowest:.3f}"
