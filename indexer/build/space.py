"""Index one space for one relation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.embeddings import EmbeddingTable
from artifacts.progress import Progress
from artifacts.relation import Relation
from artifacts.snapshot import IndexEntry
from indexer.backends import build_index
from indexer.categories import Part, Partition, backend_of
from indexer.config import BackendConfig, SpaceIndexConfig
from indexer.gate import measure_recall
from indexer.gate_report import IndexRecall
from indexer.index import Metric
from indexer.row_index import RowIndex
from indexer.slugs import category_slug
from indexer.space_index import SpaceIndex


@dataclass(frozen=True, slots=True)
class BuildEffort:
    """What a build may spend.

    Attributes:
        seed: of everything random.
        threads: >= 1.
        gate_queries: queries that measure the recall of an index.
    """

    seed: int
    threads: int
    gate_queries: int


@dataclass(frozen=True, slots=True)
class IndexedRelation:
    """The indices of one space and relation, mapped from where they were written."""

    index: SpaceIndex
    entries: tuple[IndexEntry, ...]
    recalls: tuple[IndexRecall, ...]


@dataclass(frozen=True, slots=True)
class RelationBuilder:
    """Builds the indices of one space and relation below the folder of a snapshot."""

    root: Path
    table: EmbeddingTable
    relation: Relation
    effort: BuildEffort

    def build(
        self, config: SpaceIndexConfig, cut: Partition, *, progress: Progress
    ) -> IndexedRelation:
        """Build, write, map and measure an index for each part."""
        progress.start(f"index {self.table.space} {self.relation}", len(cut.parts))
        parts, entries = {}, []
        for part in cut.parts:
            backend = backend_of(part, config)
            parts[part.category] = self._index(part, backend)
            entries.append(self._entry(part, parts[part.category], backend))
            progress.advance()
        recalls = tuple(self._recall(entry) for entry in entries if entry.recall is not None)
        progress.finish(_summary(recalls, len(entries)))
        index = SpaceIndex(self.table.space, self.relation, parts)
        return IndexedRelation(index, tuple(entries), recalls)

    def _folder(self, part: Part) -> str:
        return f"indices/{self.table.space}/{self.relation}/{category_slug(part.category)}"

    def _index(self, part: Part, backend: BackendConfig) -> RowIndex:
        index = build_index(
            np.ascontiguousarray(self.table.targets(self.relation)[part.positions]),
            Metric.of(self.relation),
            backend,
            seed=self.effort.seed,
            threads=self.effort.threads,
        )
        folder = self.root / self._folder(part)
        RowIndex(index, self.table.rows[part.positions]).save(folder)
        # What is measured from here on is what was written, not what was built.
        return RowIndex.open(folder)

    def _entry(self, part: Part, index: RowIndex, backend: BackendConfig) -> IndexEntry:
        measured = None
        if backend.kind != "exact":
            measured = measure_recall(
                index,
                self.table,
                self.relation,
                queries=self.effort.gate_queries,
                seed=self.effort.seed,
            )
        return IndexEntry(
            space=self.table.space,
            relation=self.relation,
            category=part.category,
            folder=self._folder(part),
            kind=backend.kind,
            items=len(part),
            recall=measured,
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
        )


def _summary(recalls: tuple[IndexRecall, ...], indices: int) -> str:
    if not recalls:
        return f"{indices} exact"
    lowest = min(entry.recall for entry in recalls)
    return f"{indices} indices, lowest recall@10 {lowest:.3f}"
