"""The neighbour tables of a snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from artifacts.catalog import Catalog
from artifacts.manifest import Json
from artifacts.progress import Progress
from artifacts.snapshot import IndexEntry, ListedPart, NeighborsEntry
from indexer.bands import Limits
from indexer.build.inputs import SpaceInput
from indexer.gate import measure_coverage
from indexer.gate_report import TableCoverage
from indexer.header import IndexHeader
from indexer.precompute import ListsMeans, ListsRequest, PrecomputedLists, precompute_neighbors
from indexer.space_index import SpaceIndex


@dataclass(frozen=True, slots=True)
class ListedRelation:
    """One table, and how much of the catalogue it covers."""

    entry: NeighborsEntry
    coverage: TableCoverage


@dataclass(frozen=True, slots=True)
class ListsBuilder:
    """Builds the neighbour tables of a snapshot below its folder.

    Attributes:
        root: folder of the snapshot.
        catalog: its catalogue.
        means: what lists are made with.
        shaping: what shapes an index beside its vectors and its settings: seed and libraries.
    """

    root: Path
    catalog: Catalog
    means: ListsMeans
    shaping: Json

    def build(
        self,
        space: SpaceInput,
        index: SpaceIndex,
        entries: Sequence[IndexEntry],
        *,
        progress: Progress,
    ) -> ListedRelation:
        """Compute or copy the lists of one space and relation, and write them.

        Args:
            space: the vectors and their settings.
            index: their indices, saved.
            entries: where each of them is saved.
            progress: told of every item.

        Raises:
            ConfigError: a band names a category that the catalogue lacks.
            OSError: something cannot be written.
        """
        progress.start(f"neighbours {index.space} {index.relation}", len(index))
        folder = f"neighbors/{index.space}/{index.relation}"
        request = self._request(space, index, entries)
        lists = precompute_neighbors(request, self.means, self.root / folder, progress=progress)
        covered = measure_coverage(
            lists.table, index.space, index.relation, catalogue_items=len(self.catalog)
        )
        progress.finish(_summary(lists, covered))
        entry = NeighborsEntry(
            space=index.space,
            relation=index.relation,
            folder=folder,
            items=len(index),
            k=request.k,
            parts=dict(lists.parts),
        )
        return ListedRelation(entry, covered)

    def _request(
        self, space: SpaceInput, index: SpaceIndex, entries: Sequence[IndexEntry]
    ) -> ListsRequest:
        bands = space.config.bands
        folders = {entry.category: self.root / entry.folder for entry in entries}
        return ListsRequest(
            table=space.table,
            index=index,
            k=space.config.neighbors,
            items=len(self.catalog),
            limits=None if bands is None else Limits.of(bands, self.catalog),
            settings={category: self._settings(folder) for category, folder in folders.items()},
            folders=folders,
            space=self.root / "spaces" / index.space,
        )

    def _settings(self, folder: Path) -> Json:
        header = IndexHeader.open(folder)
        return {**self.shaping, "config": header.config.model_dump(mode="json")}


def _summary(lists: PrecomputedLists, covered: TableCoverage) -> str:
    notes = [
        f"{covered.items} items, {covered.share:.1%} of the catalogue",
        f"{lists.bytes_per_item:.0f} bytes an item",
        *_counts(lists.parts),
    ]
    return ", ".join(notes)


def _counts(parts: Mapping[str, ListedPart]) -> list[str]:
    copied = sum(part.copied for part in parts.values())
    counts = {
        f"of {len(parts)} parts copied": copied,
        "too close to the source": sum(part.too_close_to_source for part in parts.values()),
        "too close to a better one": sum(part.too_close_to_better for part in parts.values()),
        "too far": sum(part.too_far for part in parts.values()),
        "lists short": sum(part.short for part in parts.values()),
    }
    return [f"{count:,} {what}" for what, count in counts.items() if count]
