"""Lists of some items of a space under any thresholds: what a snapshot would serve with them."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from artifacts.arrays import FloatMatrix, IntMatrix, IntVector, unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.neighbors import PAD_ROW
from indexer.bands import Bands, limits_of
from indexer.bands_config import Band
from indexer.index import Metric
from indexer.native_threads import limit_native_threads
from indexer.precompute.part_search import PartLimits, PartSearch
from indexer.row_index import RowIndex
from indexer.space_index import SpaceIndex

BLOCK = 1024
UNKNOWN = np.float32(np.nan)


@dataclass(frozen=True, slots=True)
class BandedLists:
    """Searches lists of fixed sources.

    Attributes:
        table: the space.
        index: its indices; lists come from the source's own part, as precomputed ones do.
        sources: (s,) int32 vocabulary rows, distinct, all of them in the space.
        k: length of the lists.
        bands: measures likeness.
    """

    table: EmbeddingTable
    index: SpaceIndex
    sources: IntVector
    k: int
    bands: Bands

    @classmethod
    def of(
        cls, table: EmbeddingTable, index: SpaceIndex, sources: IntVector, k: int
    ) -> "BandedLists":
        """Make ready for the lists of `sources`."""
        return cls(table, index, sources, k, Bands.of(table.vectors))

    def under(self, band: Band) -> IntMatrix:
        """Return (s, k) int32 vocabulary rows, best first, padded with -1.

        Cost: s searches, on all cores.
        """
        lists = np.full((len(self.sources), self.k), PAD_ROW, dtype=np.int32)

        def fill(block: _Block) -> None:
            found = block.search.lists(block.items, self.k).rows
            lists[block.places] = np.where(found >= 0, block.part.rows[found], PAD_ROW)

        with ThreadPoolExecutor(
            os.cpu_count(), initializer=limit_native_threads, initargs=(1,)
        ) as pool:
            list(pool.map(fill, self._blocks(band)))
        return lists

    def _blocks(self, band: Band) -> Iterator["_Block"]:
        metric = Metric.of(self.index.relation)
        for part in self.index.parts.values():
            places = np.flatnonzero(np.isin(self.sources, part.rows))
            items = np.searchsorted(part.rows, self.sources[places]).astype(np.int32)
            limits = PartLimits(limits_of(band)[np.newaxis], np.zeros(len(part), dtype=np.int32))
            positions = self.table.positions(part.rows)
            search = PartSearch(
                part.index, metric, positions, self.table.vectors, self.bands, limits
            )
            for start in range(0, len(items), BLOCK):
                cut = slice(start, start + BLOCK)
                yield _Block(part, search, items[cut], places[cut])

    def likeness(self, lists: IntMatrix) -> tuple[FloatMatrix, FloatMatrix]:
        """Measure the items of lists.

        Args:
            lists: (s, k) from `under`.

        Returns:
            (s, k) float32 cosine with the source, and the highest with a better item of the list;
            NaN where there is no item, or none that is better.
        """
        to_source, to_better = np.full((2, *lists.shape), UNKNOWN, dtype=np.float32)
        for start in range(0, len(lists), BLOCK):
            cut = slice(start, start + BLOCK)
            to_source[cut], to_better[cut] = self._measure(self.sources[cut], lists[cut])
        return to_source, to_better

    def _measure(self, sources: IntVector, lists: IntMatrix) -> tuple[FloatMatrix, FloatMatrix]:
        asking = unit_rows(self.table.vectors[self.table.positions(sources)])
        places = self.table.positions(np.maximum(lists, 0).ravel())
        listed = unit_rows(self.table.vectors[np.maximum(places, 0)])
        listed = listed.reshape(*lists.shape, -1)  # (s, k, d)
        missing = lists < 0
        to_source = np.where(missing, UNKNOWN, np.einsum("skd,sd->sk", listed, asking))
        products = np.einsum("skd,sjd->skj", listed, listed)
        better = np.tri(lists.shape[1], k=-1, dtype=np.bool_)  # j before k
        products = np.where(better, products, -np.inf).max(axis=2)
        products[missing | np.isinf(products)] = UNKNOWN
        return to_source, products


@dataclass(frozen=True, slots=True)
class _Block:
    part: RowIndex
    search: PartSearch
    items: IntVector
    places: "np.ndarray[tuple[int], np.dtype[np.intp]]"
