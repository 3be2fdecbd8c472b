"""What a search benchmark runs on: vectors to search, queries, and a name that is never ambiguous."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash

from artifacts.arrays import FloatMatrix, check_matrix
from artifacts.errors import ConfigError, DataError
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from indexer.index import Metric


@dataclass(frozen=True, slots=True)
class SearchData:
    """Vectors and queries.

    Attributes:
        name: readable name with a fingerprint of the bytes.
        base: (n, d) float32.
        queries: (q, d) float32.
        metric: what neighbours are scored by.
    """

    name: str
    base: FloatMatrix
    queries: FloatMatrix
    metric: Metric

    @classmethod
    def of(
        cls, label: str, base: FloatMatrix, queries: FloatMatrix, metric: Metric
    ) -> "SearchData":
        """Check the arrays and name them.

        Raises:
            DataError: an array is no finite float32 matrix, or the widths differ.
        """
        check_matrix(base, name=f"{label}, base")
        check_matrix(queries, name=f"{label}, queries", dim=base.shape[1])
        digest = xxhash.xxh3_64(base.tobytes())
        digest.update(queries.tobytes())
        shape = f"{base.shape[0]}x{base.shape[1]}"
        return cls(f"{label} {shape} {metric} {digest.hexdigest()}", base, queries, metric)


def snapshot_data(
    snapshot: Snapshot, space: str, relation: Relation, *, queries: int, seed: int
) -> SearchData:
    """Take the vectors of a space, and a seeded sample of its items as queries.

    Raises:
        ConfigError: the snapshot has no such space.
    """
    if space not in snapshot.spaces:
        raise ConfigError(f"no space {space!r} in {snapshot.id}; it has {sorted(snapshot.spaces)}")
    table = snapshot.spaces[space]
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(len(table), size=min(queries, len(table)), replace=False))
    return SearchData.of(
        f"snapshot:{space}:{relation}",
        np.ascontiguousarray(table.targets(relation)),
        np.ascontiguousarray(table.vectors[chosen]),
        Metric.of(relation),
    )


def array_data(base: Path, queries: Path, metric: Metric, *, limit: int | None) -> SearchData:
    """Read two `.npy` files; float16 and float64 are converted, which is said in no other way.

    Args:
        base: (n, d) matrix.
        queries: (q, d) matrix.
        metric: what neighbours are scored by.
        limit: use the first so many queries; None uses all.

    Raises:
        DataError: a file cannot be read, or is no finite matrix of the other's width.
    """
    return SearchData.of(base.stem, _read(base), _read(queries)[:limit], metric)


def _read(path: Path) -> FloatMatrix:
    try:
        return np.ascontiguousarray(np.load(path), dtype=np.float32)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected a .npy matrix: {error}") from error
