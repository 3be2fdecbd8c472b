"""SimHash: signs of random projections stand for vectors (Charikar 2002)."""

import threading
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix, map_array
from artifacts.errors import ArtifactError
from artifacts.neighbors import Neighbors
from indexer.backends.simhash_batch_kernels import search_together
from indexer.backends.simhash_kernels import Effort, search_tables
from indexer.backends.simhash_scratch import Scratch, Together, new_scratch, new_together
from indexer.backends.simhash_tables import SimHashTables, build_tables, check_tables, shape_for
from indexer.config import SimHashConfig
from indexer.header import IndexHeader
from indexer.index import Metric
from indexer.vector_store import VectorStore

SHARED_BLOCKS = 1 << 17
"""Blocks of codes up to which queries of a batch read them together: 32 MB. In more of them two
queries hardly meet."""


@dataclass(frozen=True, slots=True)
class SimHash:
    """Reads the codes of the nearest buckets and scores the rows with the best codes exactly.

    Before it scores, it reads nothing but sign bits of planes that do not depend on the data: the
    number of a bucket is some of them, a code the others. See docs/simhash.md.

    Attributes:
        store: the vectors that candidates are scored by.
        tables: buckets, codes and a rough copy of the vectors.
        config: the effective settings.
        local: memory for searching, one set for each thread.
    """

    store: VectorStore
    tables: SimHashTables
    config: SimHashConfig
    local: threading.local = field(default_factory=threading.local, compare=False, repr=False)

    @classmethod
    def build(
        cls, store: VectorStore, config: SimHashConfig, *, seed: int, threads: int
    ) -> "SimHash":
        """Draw planes and sort the vectors into buckets. Cost: see `build_tables`."""
        tables = build_tables(
            store.vectors,
            shape_for(len(store), config.build),
            np.random.default_rng(seed),
            reduced=store.metric is Metric.INNER_PRODUCT,
            threads=threads,
        )
        return cls(store, _read_only(tables), config)

    @property
    def dim(self) -> int:
        """Dimensions of the vectors."""
        return self.store.dim

    def __len__(self) -> int:
        return len(self.store)

    def search(self, queries: FloatMatrix, k: int) -> Neighbors:
        """Find the k best vectors for each query; see `indexer.index.Index.search`.

        Cost: O(probe n t bits / 64) byte look-ups and O(candidates d) for each query.
        """
        queries = self.store.normalised(queries, k)
        best = Neighbors(  # every entry is written below
            rows=np.empty((len(queries), k), dtype=np.int32),
            scores=np.empty((len(queries), k), dtype=np.float32),
        )
        effort, scratch = self._effort(k), self._scratch()
        question = (self.tables, self.store.vectors, queries, effort, self.store.ceiling, scratch)
        if len(queries) > 1 and self._is_shared(effort):
            search_together(*question, self._together(), best.rows, best.scores)
        else:
            search_tables(*question, best.rows, best.scores)
        return best

    def _is_shared(self, effort: Effort) -> bool:
        """Whether the buckets of one query are likely to be those of the next one too."""
        return effort.candidates < len(self) and self.tables.codes.shape[1] <= SHARED_BLOCKS

    def _effort(self, k: int) -> Effort:
        effort = self.config.search
        buckets = self.tables.offsets.shape[1] - 1
        return Effort(ceil(effort.probe * buckets), max(effort.candidates, 4 * k))

    def _scratch(self) -> Scratch:
        try:
            scratch: Scratch = self.local.scratch
        except AttributeError:
            scratch = self.local.scratch = new_scratch(self.tables)
        return scratch

    def _together(self) -> Together:
        try:
            together: Together = self.local.together
        except AttributeError:
            together = self.local.together = new_together(self.tables)
        return together

    def save(self, folder: Path) -> None:
        """Write the index into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.store.save(folder)
        for name, array in self.tables._asdict().items():
            np.save(folder / f"{name}.npy", array)
        IndexHeader(metric=self.store.metric, dim=self.dim, n=len(self), config=self.config).save(
            folder
        )

    @classmethod
    def load(cls, folder: Path, header: IndexHeader, config: SimHashConfig) -> "SimHash":
        """Map an index that `save` wrote.

        Raises:
            ArtifactError: an array cannot be read, or is not of an index of `header.n` vectors.
        """
        tables = SimHashTables(
            *(map_array(folder / f"{name}.npy") for name in SimHashTables._fields)
        )
        reduced = header.metric is Metric.INNER_PRODUCT
        dims = (header.dim, header.dim + reduced)
        if fault := check_tables(tables, shape_for(header.n, config.build), header.n, dims):
            raise ArtifactError(f"{folder}: {fault}")
        return cls(VectorStore.open(folder, header), tables, config)


def _read_only(tables: SimHashTables) -> SimHashTables:
    """Return `tables` as `load` would map them, so that kernels are compiled once for both."""
    for array in tables:
        array.setflags(write=False)
    return tables
