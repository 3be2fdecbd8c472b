"""Adapter to FAISS: an inverted file over k-means cells (Jegou et al. 2011, section 4)."""

from dataclasses import dataclass
from math import isqrt
from pathlib import Path

import faiss
import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.errors import ArtifactError
from artifacts.neighbors import Neighbors
from indexer.config import FaissConfig
from indexer.header import IndexHeader
from indexer.native_threads import limit_native_threads, native_threads
from indexer.vector_store import SPARE_CANDIDATES, VectorStore

INVERTED_FILE_NAME = "inverted.faiss"

POINTS_PER_CELL = 39
"""Vectors that k-means wants for each cell; with fewer FAISS warns of poor cells."""


@dataclass(frozen=True, slots=True)
class FaissIvf:
    """Visits the cells next to the query, and scores what it finds there again."""

    store: VectorStore
    inverted: faiss.IndexIVFFlat
    config: FaissConfig

    @classmethod
    def build(
        cls, store: VectorStore, config: FaissConfig, *, seed: int, threads: int
    ) -> "FaissIvf":
        """Find cells by k-means and fill them."""
        cells = cell_count(len(store), config)
        inverted = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(store.dim), store.dim, cells, faiss.METRIC_INNER_PRODUCT
        )
        inverted.cp.seed = seed
        inverted.cp.min_points_per_centroid = 1
        before = native_threads()
        limit_native_threads(threads)
        try:
            inverted.train(store.vectors)
            inverted.add(store.vectors)
        finally:
            limit_native_threads(before)
        return cls(store, inverted, config)

    @property
    def dim(self) -> int:
        """Dimensions of the vectors."""
        return self.store.dim

    def __len__(self) -> int:
        return len(self.store)

    def search(self, queries: FloatMatrix, k: int) -> Neighbors:
        """Find the k best vectors for each query; see `indexer.index.Index.search`.

        Cost: O(nprobe n / nlist d + nlist d) for each query.
        """
        queries = self.store.normalised(queries, k)
        # On the index itself `nprobe` would be shared by all threads that search.
        effort = faiss.SearchParametersIVF()
        effort.nprobe = self.config.search.nprobe
        wanted = min(k + SPARE_CANDIDATES, len(self))
        _, found = self.inverted.search(queries, wanted, params=effort)
        return self.store.rank(queries, found.astype(np.int32), k)

    def save(self, folder: Path) -> None:
        """Write the index into `folder`.

        Raises:
            ArtifactError: FAISS could not write its file.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.store.save(folder)
        path = folder / INVERTED_FILE_NAME
        try:
            faiss.write_index(self.inverted, str(path))
        except RuntimeError as error:
            raise ArtifactError(f"{path}: could not be written: {error}") from error
        IndexHeader(metric=self.store.metric, dim=self.dim, n=len(self), config=self.config).save(
            folder
        )

    @classmethod
    def load(cls, folder: Path, header: IndexHeader, config: FaissConfig) -> "FaissIvf":
        """Map an index that `save` wrote.

        Raises:
            ArtifactError: the file cannot be read, or is not one of `header.n` vectors.
        """
        path = folder / INVERTED_FILE_NAME
        try:
            # IO_FLAG_MMAP alone copies the cells into private memory.
            inverted = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise ArtifactError(f"{path}: cannot be mapped: {error}") from error
        if not isinstance(inverted, faiss.IndexIVFFlat) or inverted.ntotal != header.n:
            raise ArtifactError(f"{path}: expected an IVF-Flat index of {header.n} vectors")
        return cls(VectorStore.open(folder, header), inverted, config)


def cell_count(n: int, config: FaissConfig) -> int:
    """Return the number of cells for n vectors, never more than k-means can fill."""
    if config.build.nlist == "auto":
        return max(min(2 * isqrt(n), n // POINTS_PER_CELL), 1)
    return min(config.build.nlist, n)
