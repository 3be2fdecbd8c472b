"""Time searches: warm-up, repeats, medians with spread."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix
from artifacts.neighbors import Neighbors

Search = Callable[[FloatMatrix, int], Neighbors]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a query, over repeats of the same queries.

    Attributes:
        median_s: median over repeats of the mean time a query.
        low_s: fastest repeat.
        high_s: slowest repeat.
        p50_s: median of single calls, over all repeats.
        p99_s: 99th percentile of single calls, over all repeats.
    """

    median_s: float
    low_s: float
    high_s: float
    p50_s: float
    p99_s: float

    @property
    def queries_per_s(self) -> float:
        """Throughput of the median repeat."""
        return 1 / self.median_s


def time_search(
    search: Search, queries: FloatMatrix, k: int, *, batch: int, repeats: int
) -> Timing:
    """Time `search` over all queries in calls of `batch`, after one unmeasured pass."""
    blocks = [queries[i : i + batch] for i in range(0, len(queries), batch)]
    for block in blocks:
        search(block, k)
    calls = np.empty((repeats, len(blocks)))
    for repeat in range(repeats):
        for number, block in enumerate(blocks):
            begun = time.perf_counter()
            search(block, k)
            calls[repeat, number] = time.perf_counter() - begun
    per_query = calls.sum(axis=1) / len(queries)
    return Timing(
        median_s=float(np.median(per_query)),
        low_s=float(per_query.min()),
        high_s=float(per_query.max()),
        p50_s=float(np.percentile(calls, 50)),
        p99_s=float(np.percentile(calls, 99)),
    )


def recall_at_k(found: Neighbors, truth: Neighbors, *, tolerance: float = 1e-5) -> float:
    """Share of the true k that was found, counting a hit tied with the k-th true score as true.

    Scores are exact by contract, so a tie is a tie of scores (Aumueller et al. 2020, section 3).
    """
    kth: NDArray[np.float32] = np.where(np.isfinite(truth.scores), truth.scores, np.inf).min(axis=1)
    wanted = np.isfinite(truth.scores).sum()
    hits = (found.scores >= kth[:, None] - tolerance) & np.isfinite(found.scores)
    return float(hits.sum() / wanted) if wanted else 1.0
