"""Adapter to FAISS: whatever its factory builds, scored again by whole vectors."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.errors import ArtifactError, ConfigError
from artifacts.neighbors import PAD_ROW, Neighbors
from indexer.backends.faiss_effort import inner_index, search_parameters, seed_clustering
from indexer.backends.faiss_factory import fitted_factory
from indexer.config import FaissConfig
from indexer.header import IndexHeader
from indexer.native_threads import limit_native_threads, native_threads
from indexer.rescoring_kernels import LongMatrix
from indexer.vector_store import SPARE_CANDIDATES, VectorStore

ENGINE_NAME = "engine.faiss"
NEARLY_EQUAL = 1e-5
"""Difference of two scores, relative to the highest, that rounding may turn round: some hundred
terms are summed in float32."""
EARLIER_NAME = "inverted.faiss"
"""The file's name before there were factory strings; snapshots of that time are still read."""


@dataclass(frozen=True, slots=True)
class FaissEngine:
    """Asks an engine of FAISS for candidates, and scores them by the vectors.

    The vectors stand in for FAISS's refiner (`RFlat`), which would keep a further copy of them.

    Attributes:
        store: the vectors that candidates are scored by.
        engine: finds candidates by the largest inner product, exact or estimated.
        config: the settings.
        parameters: what the engine is told with each search.
    """

    store: VectorStore
    engine: faiss.Index
    config: FaissConfig
    parameters: Any = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        parameters = search_parameters(self.engine, self.config.search)
        object.__setattr__(self, "parameters", parameters)

    @classmethod
    def build(
        cls, store: VectorStore, config: FaissConfig, *, seed: int, threads: int
    ) -> "FaissEngine":
        """Train and fill what the factory string says.

        Raises:
            ConfigError: FAISS does not know the string, or cannot build it over such vectors.
        """
        factory = fitted_factory(config.build.factory, len(store), store.dim)
        before = native_threads()
        limit_native_threads(threads)
        try:
            engine = faiss.index_factory(store.dim, factory, faiss.METRIC_INNER_PRODUCT)
            seed_clustering(engine, seed)
            engine.train(store.vectors)
            engine.add(store.vectors)
        except RuntimeError as error:
            raise ConfigError(
                f"faiss: expected a factory string that can be built over {len(store)} vectors of "
                f"{store.dim} dimensions, got {config.build.factory!r}: {error}"
            ) from error
        finally:
            limit_native_threads(before)
        return cls(store, engine, config)

    @property
    def dim(self) -> int:
        """Dimensions of the vectors."""
        return self.store.dim

    def __len__(self) -> int:
        return len(self.store)

    def search(self, queries: FloatMatrix, k: int) -> Neighbors:
        """Find the k best vectors for each query; see `indexer.index.Index.search`.

        Cost: the engine's, and O(k k_factor d) for each query.
        """
        queries = self.store.normalised(queries, k)
        wanted = min(max(k + SPARE_CANDIDATES, k * self.config.search.k_factor), len(self))
        if max(wanted, self._walked()) >= len(self):
            return self.store.rank_all(queries, k)
        return self.store.rank_found(queries, self._candidates(queries, k, wanted), k)

    def _candidates(self, queries: FloatMatrix, k: int, wanted: int) -> LongMatrix:
        """Return (q, m) int64 rows, m at most `wanted`.

        The engine rounds its scores otherwise than we do. That matters where the k-th and the next
        one are nearly equal; only there are more than one beyond k asked for, since each of them
        costs half a per cent of the rate.
        """
        first = wanted if wanted > k + SPARE_CANDIDATES else k + 1
        found: LongMatrix
        scores, found = self.engine.search(queries, first, params=self.parameters)
        if first < wanted:
            gaps = scores[:, k - 1] - scores[:, k]
            close = gaps <= NEARLY_EQUAL * np.abs(scores[:, 0])
            if close.any():
                found = np.pad(found, ((0, 0), (0, wanted - first)), constant_values=PAD_ROW)
                _, found[close] = self.engine.search(queries[close], wanted, params=self.parameters)
        # Fast scan never finds the row that it estimates lowest, which is why those who want all
        # rows do not come here.
        return found

    def _walked(self) -> int:
        """Return the vectors that a walk through a graph keeps in view; not all are linked to."""
        is_graph = isinstance(inner_index(self.engine), faiss.IndexHNSW)
        return self.config.search.ef_search if is_graph else 0

    def save(self, folder: Path) -> None:
        """Write the index into `folder`.

        Raises:
            ArtifactError: FAISS could not write its file.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.store.save(folder)
        path = folder / ENGINE_NAME
        try:
            faiss.write_index(self.engine, str(path))
        except RuntimeError as error:
            raise ArtifactError(f"{path}: could not be written: {error}") from error
        IndexHeader(metric=self.store.metric, dim=self.dim, n=len(self), config=self.config).save(
            folder
        )

    @classmethod
    def load(cls, folder: Path, header: IndexHeader, config: FaissConfig) -> "FaissEngine":
        """Map an index that `save` wrote.

        Raises:
            ArtifactError: the file cannot be read, or is not one of `header.n` vectors.
        """
        earlier = folder / EARLIER_NAME
        path = earlier if earlier.exists() else folder / ENGINE_NAME
        try:
            # IO_FLAG_MMAP alone copies cells, codes and graphs into private memory.
            engine = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise ArtifactError(f"{path}: cannot be mapped: {error}") from error
        if (engine.ntotal, engine.d) != (header.n, header.dim):
            raise ArtifactError(
                f"{path}: expected {header.n} vectors of {header.dim} dimensions, got "
                f"{engine.ntotal} of {engine.d}"
            )
        return cls(VectorStore.open(folder, header), engine, config)
