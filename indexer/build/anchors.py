"""The anchors of the hybrid: an index over the popular items of each category, and a table."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from artifacts.anchors import AnchorTable, AnchorThresholds
from artifacts.arrays import IntVector
from artifacts.catalog import Catalog
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ConfigError
from artifacts.neighbors import PAD_ROW, Neighbors
from artifacts.progress import Progress
from artifacts.relation import Relation
from artifacts.snapshot import WHOLE_SPACE, AnchorsEntry
from indexer.anchors_config import AnchorsConfig
from indexer.build.inputs import SpaceInput
from indexer.build.part_index import BuildEffort
from indexer.build.reuse import EarlierIndices
from indexer.build.space import IndexedRelation, RelationBuilder
from indexer.categories import Partition, partition
from indexer.gate_report import IndexRecall, SpaceWithout
from indexer.native_threads import limit_native_threads
from indexer.row_index import RowIndex
from indexer.self_removal import without_self

ANCHORS_FOLDER = "anchors"
INDICES_FOLDER = "anchors/indices"

NAMED = 5
"""Categories that a note names; the gate's report has all of them."""

BLOCK = 1024
"""Items searched together."""


def popular_name(space: str) -> str:
    """Return the name by which reports tell the popular items of a space from the whole of it."""
    return f"{space}:popular"


@dataclass(frozen=True, slots=True)
class BuiltAnchors:
    """Anchors that were written.

    Attributes:
        entry: what the snapshot says of them.
        recalls: of their indices.
        without: categories in which nothing is popular enough; None where there are none.
    """

    entry: AnchorsEntry
    recalls: tuple[IndexRecall, ...]
    without: SpaceWithout | None


class _Block(NamedTuple):
    part: RowIndex
    rows: IntVector
    """Items that ask."""


@dataclass(frozen=True, slots=True)
class AnchorsBuilder:
    """Builds the anchors of a snapshot below its folder."""

    root: Path
    catalog: Catalog
    effort: BuildEffort
    earlier: EarlierIndices

    def build(
        self, config: AnchorsConfig, spaces: dict[str, SpaceInput], *, progress: Progress
    ) -> BuiltAnchors:
        """Index the popular items, and find the nearest of them for every item of the space.

        Items with a list of their own get anchors as well: callers may ask for the hybrid alone.

        Args:
            config: which items are popular, and how many anchors each item gets.
            spaces: the spaces of the snapshot, by name.
            progress: told of the indices, then of the items.

        Raises:
            ConfigError: a space or a category is named that is not there.

        Cost: one search for each item of the space, on all threads.
        """
        content, lists = _space(spaces, config.space), _space(spaces, config.lists)
        thresholds = self._thresholds(config)
        popular = self._popular(content.table, lists.table, thresholds)
        cut = partition(popular, self.catalog, per_category=config.per_category)
        built = self._indices(popular, cut, content, progress)
        progress.start(f"anchors {config.space}", len(content.table))
        found = self._search(content.table, built.index.parts, config.anchors, progress)
        found.save(self.root / ANCHORS_FOLDER)
        progress.finish(_note(found, len(content.table), cut.without_vectors))
        entry = AnchorsEntry(
            space=config.space,
            lists=config.lists,
            folder=ANCHORS_FOLDER,
            items=_covered(found),
            anchors=config.anchors,
            thresholds=thresholds,
            indices=built.entries,
        )
        without = SpaceWithout(space=popular.space, categories=cut.without_vectors)
        return BuiltAnchors(entry, built.recalls, without if without.categories else None)

    def _indices(
        self, popular: EmbeddingTable, cut: Partition, content: SpaceInput, progress: Progress
    ) -> IndexedRelation:
        """Index the popular items as the whole space is indexed."""
        builder = RelationBuilder(
            self.root,
            popular,
            Relation.ALTERNATIVES,
            self.catalog.popularity,
            self.effort,
            self.earlier,
            INDICES_FOLDER,
        )
        parts = tuple(part for part in cut.parts if len(part))  # the whole may be empty
        return builder.build(content.config, replace(cut, parts=parts), progress=progress)

    def _thresholds(self, config: AnchorsConfig) -> dict[str, AnchorThresholds]:
        unknown = sorted(set(config.categories) - set(self.catalog.categories))
        if unknown:
            raise ConfigError(
                f"[index.anchors.categories]: expected top categories of the catalogue, got "
                f"{unknown[0]!r}"
            )
        return {category: config.of(category) for category in self.catalog.categories}

    def _popular(
        self,
        content: EmbeddingTable,
        lists: EmbeddingTable,
        thresholds: dict[str, AnchorThresholds],
    ) -> EmbeddingTable:
        """Return the part of the content space that may lend lists."""
        needed = np.array([thresholds[name].min_sessions for name in self.catalog.categories])
        codes = np.asarray(self.catalog.category_codes)[content.rows]
        counts = np.asarray(self.catalog.popularity)[content.rows]
        lends = (counts >= needed[codes]) & (lists.positions(content.rows) >= 0)
        chosen = np.flatnonzero(lends)
        chosen = chosen[np.any(content.vectors[chosen], axis=1)]
        return EmbeddingTable(
            space=popular_name(content.space),
            rows=np.ascontiguousarray(content.rows[chosen]),
            vectors=np.ascontiguousarray(content.vectors[chosen]),
        )

    def _search(
        self,
        content: EmbeddingTable,
        indices: Mapping[str, RowIndex],
        anchors: int,
        progress: Progress,
    ) -> AnchorTable:
        shape = (len(self.catalog), anchors)
        found = Neighbors.empty(*shape)
        with ThreadPoolExecutor(
            self.effort.threads, initializer=limit_native_threads, initargs=(1,)
        ) as pool:
            blocks = list(self._blocks(content, indices))
            answers = pool.map(lambda block: _nearest(content, block, anchors), blocks)
            for block, answer in zip(blocks, answers, strict=True):
                found.rows[block.rows] = answer.rows
                found.scores[block.rows] = answer.scores
                progress.advance(len(block.rows))
        return AnchorTable(rows=found.rows, similarities=found.scores)

    def _blocks(self, content: EmbeddingTable, indices: Mapping[str, RowIndex]) -> Iterator[_Block]:
        # A zero vector says nothing, so nothing is like it.
        asking = np.asarray(content.rows)[np.any(content.vectors, axis=1)]
        codes = np.asarray(self.catalog.category_codes)[asking]
        code_of = {category: code for code, category in enumerate(self.catalog.categories)}
        for category, part in indices.items():
            rows = asking if category == WHOLE_SPACE else asking[codes == code_of[category]]
            for start in range(0, len(rows), BLOCK):
                yield _Block(part, rows[start : start + BLOCK])


def _space(spaces: dict[str, SpaceInput], name: str) -> SpaceInput:
    try:
        return spaces[name]
    except KeyError:
        raise ConfigError(
            f"[index.anchors]: expected a space of [[index.spaces]], got {name!r}; there are: "
            f"{', '.join(spaces)}"
        ) from None


def _covered(table: AnchorTable) -> int:
    return int(np.count_nonzero(np.asarray(table.rows)[:, 0] != PAD_ROW))


def _note(table: AnchorTable, asking: int, without: tuple[str, ...]) -> str:
    """Say how many items can borrow, and where nothing is popular enough to lend."""
    note = f"{_covered(table)} of {asking} items have one"
    if not without:
        return note
    named = ", ".join(without[:NAMED]) + (", ..." if len(without) > NAMED else "")
    return f"{note}; nothing is popular in {len(without)} categories: {named}"


def _nearest(content: EmbeddingTable, block: _Block, anchors: int) -> Neighbors:
    queries = np.ascontiguousarray(content.vectors[content.positions(block.rows)])
    return without_self(block.part.search(queries, anchors + 1), block.rows, anchors)
