"""Exhaustive search: the oracle that every other backend is held against."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.neighbors import Neighbors
from indexer.config import ExactConfig
from indexer.header import IndexHeader
from indexer.index import Metric
from indexer.vector_store import VectorStore

FEW_QUERIES = 4
"""Below this, reading the vectors once per query is cheaper than a matrix product."""

SCORES_PER_BLOCK = 1 << 24
"""Bound on the matrix of scores held at once: 64 MB."""


@dataclass(frozen=True, slots=True)
class ExactIndex:
    """Compares every query with every vector."""

    store: VectorStore
    longest: float

    @classmethod
    def build(cls, store: VectorStore) -> "ExactIndex":
        """Return an index over the vectors of `store`."""
        return cls(store, float(np.linalg.norm(store.vectors, axis=1).max()))

    @property
    def dim(self) -> int:
        """Dimensions of the vectors."""
        return self.store.dim

    def __len__(self) -> int:
        return len(self.store)

    @property
    def metric(self) -> Metric:
        """What the index scores by."""
        return self.store.metric

    def search(self, queries: FloatMatrix, k: int) -> Neighbors:
        """Find the k best vectors for each query; see `indexer.index.Index.search`.

        Cost: O(q n d), at most 64 MB of scores at once unless n is larger than that.
        """
        queries = self.store.normalised(queries, k)
        if len(queries) < FEW_QUERIES:
            return self.store.rank_all(queries, k)
        size = max(SCORES_PER_BLOCK // len(self), 1)
        blocks = [
            self.store.rank_products(queries[start : start + size], k, self.longest)
            for start in range(0, len(queries), size)
        ]
        return Neighbors(
            rows=np.concatenate([block.rows for block in blocks]),
            scores=np.concatenate([block.scores for block in blocks]),
        )

    def save(self, folder: Path) -> None:
        """Write the index into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.store.save(folder)
        IndexHeader(metric=self.metric, dim=self.dim, n=len(self), config=ExactConfig()).save(
            folder
        )

    @classmethod
    def load(cls, folder: Path, header: IndexHeader) -> "ExactIndex":
        """Map an index that `save` wrote."""
        return cls.build(VectorStore.open(folder, header))
