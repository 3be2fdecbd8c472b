"""The vectors of an index, and exact scores over them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix, IntMatrix, check_matrix, map_array, unit_rows
from artifacts.errors import ArtifactError, DataError
from artifacts.neighbors import Neighbors
from indexer.header import IndexHeader
from indexer.index import Metric
from indexer.queries import checked_queries
from indexer.rescoring_kernels import LongMatrix, rank_above, rank_all, rank_each, rank_found

VECTORS_NAME = "vectors.npy"
UNIT_ROUNDOFF = 2.0**-24

SPARE_CANDIDATES = 4
"""Asked of an engine beyond k, because it orders by scores that are rounded otherwise than ours.

Each of them costs FAISS about half a per cent of its rate; what is missed without more of them
differs from what is found in the last bits of the score.
"""


@dataclass(frozen=True, slots=True)
class VectorStore:
    """n vectors in the form in which their metric is an inner product.

    Attributes:
        vectors: (n, d) float32, read-only; of length 1 (or zero) for cosine, as given otherwise.
        metric: what scores mean.
    """

    vectors: FloatMatrix
    metric: Metric

    @classmethod
    def of(cls, vectors: FloatMatrix, metric: Metric) -> "VectorStore":
        """Check vectors and bring them into the form of the metric.

        Raises:
            DataError: there are none, or they are not a finite C-contiguous float32 matrix.
        """
        check_matrix(vectors, name="vectors")
        if not vectors.size:
            raise DataError(f"vectors: expected at least one row and column, got {vectors.shape}")
        stored = unit_rows(vectors) if metric is Metric.COSINE else vectors.view()
        stored.setflags(write=False)
        return cls(stored, metric)

    @property
    def dim(self) -> int:
        """Dimensions of the vectors."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def ceiling(self) -> float:
        """The highest score that is not a rounding error."""
        return 1.0 if self.metric is Metric.COSINE else np.inf

    def normalised(self, queries: FloatMatrix, k: int) -> FloatMatrix:
        """Return checked queries in the form of the metric.

        Raises:
            DataError: k < 1, or the queries are not a finite C-contiguous (q, d) float32 matrix.
        """
        return checked_queries(queries, k, dim=self.dim, unit=self.metric is Metric.COSINE)

    def rank(self, queries: FloatMatrix, candidates: IntMatrix, k: int) -> Neighbors:
        """Return the k best of each query's candidates by exact score.

        Args:
            queries: (q, d) float32 from `normalised`.
            candidates: (q, m) int32 rows, distinct in each line; negative ones are padding.
            k: neighbours wanted.

        Cost: O(q m d).
        """
        best = Neighbors.empty(len(queries), k)
        rank_each(self.vectors, queries, candidates, self.ceiling, best.rows, best.scores)
        return best

    def rank_found(self, queries: FloatMatrix, found: LongMatrix, k: int) -> Neighbors:
        """Return the k best of what FAISS found for each query, by exact score.

        Args:
            queries: (q, d) float32 from `normalised`.
            found: (q, m) int64, m <= n, distinct in each line; negative ones are padding. Written
                over where a line is all padding: the first m rows stand for what is equally far.
            k: neighbours wanted.

        Cost: O(q m d).
        """
        shape = len(queries), k
        best = Neighbors(np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.float32))
        rank_found(self.vectors, queries, found, self.ceiling, best.rows, best.scores)
        return best

    def rank_all(self, queries: FloatMatrix, k: int) -> Neighbors:
        """Return the k best of all n vectors, with a read of the vectors per query."""
        best = Neighbors.empty(len(queries), k)
        rank_all(self.vectors, queries, self.ceiling, best.rows, best.scores)
        return best

    def rank_products(self, queries: FloatMatrix, k: int, longest: float) -> Neighbors:
        """Return the k best of all n vectors, narrowed down by one matrix product.

        A matrix product sums in an order of its own, and not the same one in all its parts, so that
        equal vectors may differ in the last bits. Whatever comes within twice the error bound of a
        float32 inner product (Higham 2002, section 3.1) of the k-th best is scored again.

        Args:
            queries: (q, d) float32 from `normalised`.
            k: neighbours wanted.
            longest: length of the longest vector.

        Cost: O(q n d), and q n scores of memory.
        """
        best = Neighbors.empty(len(queries), k)
        lengths = np.linalg.norm(queries, axis=1)
        tolerances = (4 * self.dim * UNIT_ROUNDOFF * longest * lengths).astype(np.float32)
        rank_above(
            self.vectors,
            queries,
            queries @ self.vectors.T,
            tolerances,
            self.ceiling,
            best.rows,
            best.scores,
        )
        return best

    def save(self, folder: Path) -> None:
        """Write the vectors into `folder`."""
        np.save(folder / VECTORS_NAME, self.vectors)

    @classmethod
    def open(cls, folder: Path, header: IndexHeader) -> "VectorStore":
        """Map the vectors that `save` wrote.

        Raises:
            ArtifactError: the file is missing or unreadable, or the header speaks of others.
        """
        path = folder / VECTORS_NAME
        vectors = map_array(path)
        if vectors.shape != (header.n, header.dim):
            raise ArtifactError(
                f"{path}: expected {header.n} vectors of {header.dim} dimensions, "
                f"got {vectors.shape}"
            )
        return cls(vectors, header.metric)
