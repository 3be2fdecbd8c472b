"""One part to be computed, cut into blocks that any process can do."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector, map_array
from artifacts.embeddings import VECTORS_NAME, EmbeddingTable
from artifacts.relation import Relation
from indexer.bands import MOST_HITS, Bands, Limits
from indexer.index import Metric
from indexer.precompute.block_store import BlockStore
from indexer.precompute.part_search import PartLimits, PartSearch
from indexer.precompute.query_order import near_together
from indexer.row_index import RowIndex

BLOCK = 2048
"""Items of a block: enough to share work, few enough for progress, for balance and for memory."""

ORDER, POSITIONS, LIMITS, CODES = "order.npy", "positions.npy", "limits.npy", "codes.npy"


@dataclass(frozen=True)
class PartWork:
    """The lists of all items of a part, to be computed into a store block by block.

    Beside the blocks the store holds what they are computed from and what is nowhere else, so that
    a process that knows the folders alone, on this machine or another one, can do its share.

    Attributes:
        store: where blocks are kept.
        index: folder of the saved index, or None if only this process can compute.
        space: folder of the space's arrays, or None likewise.
        relation: what a neighbour means.
        n: items of the part.
        k: length of the lists.
        most_hits: hits looked at before a list is left short.
    """

    store: BlockStore
    index: Path | None
    space: Path | None
    relation: Relation
    n: int
    k: int
    most_hits: int = MOST_HITS

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.n // BLOCK)

    @cached_property
    def order(self) -> IntVector:
        """Numbers within the part in the order in which they are asked for, (n,) int32."""
        return map_array(self.store.folder / ORDER)

    def items(self, number: int) -> IntVector:
        """Return the numbers within the part that block `number` is about."""
        return self.order[number * BLOCK : (number + 1) * BLOCK]

    def size(self, number: int) -> int:
        """Return how many items block `number` is about."""
        return min(BLOCK, self.n - number * BLOCK)

    def missing(self) -> Sequence[int]:
        """Return the blocks that are not in the store, or damaged there."""
        return [number for number in range(self.blocks) if self.store.read(number) is None]

    def prepare(
        self, table: EmbeddingTable, part: RowIndex, apart: "ApartRule | None"
    ) -> PartSearch:
        """Write what blocks are computed from, and return the search of this process.

        An order that an earlier process has written stays, since its blocks depend on it.
        """
        positions = table.positions(part.rows)
        self._keep(POSITIONS, positions)
        if not (self.store.folder / ORDER).exists():
            self._keep(ORDER, near_together(table.vectors, positions, seed=0))
        metric = Metric.of(self.relation)
        if apart is None:
            return PartSearch(part.index, metric, positions, table.vectors)
        limits = PartLimits(apart.limits.values, apart.limits.codes[part.rows], self.most_hits)
        self._keep(LIMITS, limits.values)
        self._keep(CODES, limits.codes)
        return PartSearch(part.index, metric, positions, table.vectors, apart.bands, limits)

    def open(self) -> PartSearch:
        """Map what `prepare` wrote, in another process.

        Raises:
            ArtifactError: a file cannot be mapped.
        """
        assert self.index is not None, "bug: an index that was not saved"
        assert self.space is not None, "bug: a space that was not saved"
        vectors = map_array(self.space / VECTORS_NAME)
        bands = limits = None
        if (self.store.folder / LIMITS).exists():
            values, codes = (map_array(self.store.folder / name) for name in (LIMITS, CODES))
            bands, limits = _bands_of(self.space), PartLimits(values, codes, self.most_hits)
        index = RowIndex.open(self.index).index
        positions = map_array(self.store.folder / POSITIONS)
        return PartSearch(index, Metric.of(self.relation), positions, vectors, bands, limits)

    def compute(self, search: PartSearch, number: int) -> int:
        """Compute block `number` into the store; return the number of its items.

        Raises:
            OSError: it cannot be written.
        """
        items = self.items(number)
        self.store.write(number, search.lists(items, self.k))
        return len(items)

    def _keep(self, name: str, array: FloatMatrix | IntVector) -> None:
        aside = self.store.folder / f"aside-{name}"
        np.save(aside, array)
        aside.replace(self.store.folder / name)


@dataclass(frozen=True, slots=True)
class ApartRule:
    """What is too close and too far in one space: how it is measured, and the thresholds."""

    bands: Bands
    limits: Limits


@lru_cache(maxsize=1)
def _bands_of(space: Path) -> Bands:
    """Return the lengths of a space's vectors, measured once by each process."""
    return Bands.of(map_array(space / VECTORS_NAME))
