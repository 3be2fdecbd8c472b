"""Neighbours of every item of a space, ahead of time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from artifacts.arrays import IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ArtifactError
from artifacts.manifest import Json
from artifacts.neighbors import PAD_ROW, NeighborTable
from artifacts.progress import Progress
from artifacts.snapshot import ListedPart
from indexer.array_writer import write_array
from indexer.bands import Bands, Limits
from indexer.precompute.block_store import BlockStores
from indexer.precompute.earlier_lists import EarlierLists, ListsToCopy
from indexer.precompute.engine import BlockEngine, BlockTask
from indexer.precompute.part_fingerprint import part_fingerprint
from indexer.precompute.part_search import Lists
from indexer.precompute.part_work import ApartRule, PartWork
from indexer.row_index import RowIndex
from indexer.space_index import SpaceIndex


@dataclass(frozen=True, slots=True)
class ListsRequest:
    """What lists are wanted.

    Attributes:
        table: the space; items ask by their input vectors.
        index: the indices that are asked.
        k: neighbours of each item, >= 1.
        items: size of the vocabulary.
        limits: what is too close or too far; None for no limits.
        settings: by category, all that shaped its index beside vectors: a part whose settings and
            vectors are those of an earlier snapshot has its lists copied.
        folders: by category, where its index is saved; engines beyond this process need them.
        space: where the arrays of the space are saved; likewise.
    """

    table: EmbeddingTable
    index: SpaceIndex
    k: int
    items: int
    limits: Limits | None = None
    settings: Mapping[str, Json] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)
    space: Path | None = None


@dataclass(frozen=True, slots=True)
class ListsMeans:
    """What lists are made with.

    Attributes:
        engine: computes blocks.
        stores: keeps finished blocks, so that a run that is killed goes on where it stopped.
        earlier: lists of an earlier snapshot, copied where nothing has changed.
    """

    engine: BlockEngine
    stores: BlockStores
    earlier: EarlierLists | None = None


@dataclass(frozen=True, slots=True)
class PrecomputedLists:
    """A table as it was written, and how its parts came about."""

    table: NeighborTable
    parts: Mapping[str, ListedPart]

    @property
    def bytes_per_item(self) -> float:
        """Bytes on disk for each item with a list, padding and look-up included."""
        arrays = (self.table.positions, self.table.rows, self.table.scores)
        return sum(array.nbytes for array in arrays) / max(len(self.table.rows), 1)


@dataclass(slots=True)
class _Part:
    """One part on its way into the table."""

    category: str
    index: RowIndex
    listed: ListedPart
    source: ListsToCopy | PartWork

    def blocks(self) -> Iterator[tuple[IntVector, Lists]]:
        if isinstance(self.source, ListsToCopy):
            yield from self.source.blocks()
            return
        for number in range(self.source.blocks):
            lists = self.source.store.read(number)
            if lists is None:
                path = self.source.store.path(number)
                raise ArtifactError(f"{path}: was written and is damaged or gone; run again")
            yield self.source.items(number), lists

    def count(self, lists: Lists) -> None:
        """Add to what is told of the part; a part that is copied has been told of."""
        if self.listed.copied:
            return
        before = self.listed
        k = lists.rows.shape[1]
        could_be_full = len(self.index) > k
        to_source, to_better, too_far = lists.removed.tolist()
        short = int((lists.rows[:, -1] < 0).sum()) if could_be_full else 0
        self.listed = before.model_copy(
            update={
                "short": before.short + short,
                "too_close_to_source": before.too_close_to_source + to_source,
                "too_close_to_better": before.too_close_to_better + to_better,
                "too_far": before.too_far + too_far,
            }
        )


def precompute_neighbors(
    request: ListsRequest, means: ListsMeans, folder: Path, *, progress: Progress
) -> PrecomputedLists:
    """Compute or copy the neighbours of every item and write them into `folder`.

    The item itself is left out. Where the space is cut by category, neighbours come from the
    item's own category.

    Raises:
        ArtifactError: a finished block is damaged.
        OSError: something cannot be written.

    Cost: len(table) searches for k and some more; memory for a few blocks; on disk, until the
    stores are cleared, twice the size of the table.
    """
    parts = [*_parts(request, means)]
    _compute(request, means, parts, progress)
    table = _write(request, parts, folder)
    return PrecomputedLists(table, {part.category: part.listed for part in parts})


def _parts(request: ListsRequest, means: ListsMeans) -> Iterator[_Part]:
    relation, space = request.index.relation, request.index.space
    for category, index in request.index.parts.items():
        settings = {"k": request.k, "index": request.settings.get(category)}
        name = part_fingerprint(request.table, relation, index, request.limits, settings)
        known = category in request.settings and means.earlier
        copied = known.of(space, relation, category, name) if known else None
        if copied is not None:
            yield _Part(category, index, copied.listed, copied)
            continue
        store = means.stores.claim(name)
        saved = request.folders.get(category)
        work = PartWork(store, saved, request.space, relation, len(index), request.k)
        if request.limits is not None:
            work = replace(work, most_hits=request.limits.most_hits)
        yield _Part(category, index, ListedPart(fingerprint=name), work)


def _compute(
    request: ListsRequest, means: ListsMeans, parts: list[_Part], progress: Progress
) -> None:
    """Have all blocks computed that are neither to be copied nor left from a run before."""
    apart = None
    if request.limits is not None and any(isinstance(part.source, PartWork) for part in parts):
        apart = ApartRule(Bands.of(request.table.vectors), request.limits)
    tasks: list[BlockTask] = []
    for part in parts:
        if isinstance(part.source, PartWork):
            work = part.source
            search = work.prepare(request.table, part.index, apart)
            tasks += [BlockTask(work, search, number) for number in work.missing()]
    waiting = sum(task.work.size(task.number) for task in tasks)
    progress.advance(len(request.index) - waiting)
    for items in means.engine.run(tasks):
        progress.advance(items)


def _write(request: ListsRequest, parts: list[_Part], folder: Path) -> NeighborTable:
    folder.mkdir(parents=True, exist_ok=True)
    shape = (len(request.index), request.k)
    positions = np.full(request.items, -1, dtype=np.int32)
    with (
        write_array(folder / "rows.npy", shape, np.int32) as rows,
        write_array(folder / "scores.npy", shape, np.float32) as scores,
    ):
        for part in parts:
            for items, lists in part.blocks():
                first = len(request.index) - rows.missing
                lines = np.arange(first, first + len(items), dtype=np.int32)
                positions[part.index.rows[items]] = lines
                rows.append(np.where(lists.rows >= 0, part.index.rows[lists.rows], PAD_ROW))
                scores.append(lists.scores)
                part.count(lists)
    np.save(folder / "positions.npy", positions)
    return NeighborTable.open(folder)
