"""SimHash: signs of random projections stand for vectors (Charikar 2002)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix, FloatVector, map_array
from artifacts.errors import ArtifactError
from artifacts.neighbors import Neighbors
from indexer.augmentation import augment_queries, augment_vectors
from indexer.backends.simhash_kernels import Codes, search_codes
from indexer.config import SimHashConfig
from indexer.header import IndexHeader
from indexer.index import Metric
from indexer.vector_store import VectorStore

CODES_NAME = "codes.npy"
PLANES_NAME = "planes.npy"
CENTRE_NAME = "centre.npy"
ROWS_PER_BLOCK = 1 << 14


@dataclass(frozen=True, slots=True)
class SimHash:
    """Scans all codes by Hamming distance and scores the nearest exactly.

    Before it scores, it reads nothing but sign bits of planes that do not depend on the data.

    Attributes:
        store: the vectors that candidates are scored by.
        planes: (bits, d') float32, orthonormal in blocks of d' rows (Ji et al. 2012, section 3);
            d' is d for cosine, d + 1 for inner products, which are reduced to angles.
        centre: (d',) float32 mean of the vectors; signs are taken about it, since planes through
            the origin tell vectors that share a direction apart by few bits only.
        codes: (bits / 64, n) uint64, one row for each word of all codes.
        config: the effective settings.
    """

    store: VectorStore
    planes: FloatMatrix
    centre: FloatVector
    codes: Codes
    config: SimHashConfig

    @classmethod
    def build(cls, store: VectorStore, config: SimHashConfig, *, seed: int) -> "SimHash":
        """Draw planes and encode the vectors. Cost: O(n d bits)."""
        angular = augment_vectors(store.vectors) if _reduced(store) else store.vectors
        planes = orthogonal_planes(config.build.bits, angular.shape[1], seed)
        centre = angular.mean(axis=0, dtype=np.float64).astype(np.float32)
        codes = np.empty((config.build.bits // 64, len(store)), dtype=np.uint64)
        for start in range(0, len(store), ROWS_PER_BLOCK):
            block = angular[start : start + ROWS_PER_BLOCK]
            codes[:, start : start + len(block)] = sign_codes(block - centre, planes).T
        return cls(store, planes, centre, codes, config)

    @property
    def dim(self) -> int:
        """Dimensions of the vectors."""
        return self.store.dim

    def __len__(self) -> int:
        return len(self.store)

    def search(self, queries: FloatMatrix, k: int) -> Neighbors:
        """Find the k best vectors for each query; see `indexer.index.Index.search`.

        Cost: O(n bits / 64) population counts and O(candidates d) for each query.
        """
        queries = self.store.normalised(queries, k)
        angular = augment_queries(queries) if _reduced(self.store) else queries
        best = Neighbors.empty(len(queries), k)
        search_codes(
            self.codes,
            sign_codes(angular - self.centre, self.planes),
            self.store.vectors,
            queries,
            self._candidates(k),
            self.store.ceiling,
            best.rows,
            best.scores,
        )
        return best

    def _candidates(self, k: int) -> int:
        effort = self.config.search
        share = round(effort.rescore_per_mille * len(self) / 1000)
        return min(max(share, effort.rescore_min, 4 * k), len(self))

    def save(self, folder: Path) -> None:
        """Write the index into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.store.save(folder)
        np.save(folder / CODES_NAME, self.codes)
        np.save(folder / PLANES_NAME, self.planes)
        np.save(folder / CENTRE_NAME, self.centre)
        IndexHeader(metric=self.store.metric, dim=self.dim, n=len(self), config=self.config).save(
            folder
        )

    @classmethod
    def load(cls, folder: Path, header: IndexHeader, config: SimHashConfig) -> "SimHash":
        """Map an index that `save` wrote.

        Raises:
            ArtifactError: an array cannot be read, or the codes are not those of `header.n` vectors.
        """
        codes, planes, centre = (
            map_array(folder / name) for name in (CODES_NAME, PLANES_NAME, CENTRE_NAME)
        )
        expected = (config.build.bits // 64, header.n)
        if codes.shape != expected:
            raise ArtifactError(f"{folder}: expected codes of {expected}, got {codes.shape}")
        return cls(VectorStore.open(folder, header), planes, centre, codes, config)


def orthogonal_planes(bits: int, dim: int, seed: int) -> FloatMatrix:
    """Return (bits, dim) normals of random planes, orthonormal within each block of `dim` rows.

    Orthogonal planes estimate an angle with less variance than independent ones (Ji et al. 2012).
    """
    rng = np.random.default_rng(seed)
    blocks = [np.linalg.qr(rng.standard_normal((dim, dim)))[0].T for _ in range(0, bits, dim)]
    return np.ascontiguousarray(np.vstack(blocks)[:bits], dtype=np.float32)


def sign_codes(vectors: FloatMatrix, planes: FloatMatrix) -> Codes:
    """Return (n, bits / 64) uint64 codes: bit b of word w is the sign of plane 64 w + b."""
    signs = vectors @ planes.T > 0  # (n, bits)
    return np.packbits(signs, axis=1, bitorder="little").view(np.uint64)


def _reduced(store: VectorStore) -> bool:
    return store.metric is Metric.INNER_PRODUCT
