"""An order of queries in which neighbours follow one another."""

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector, unit_rows

FEWEST = 20_000
"""Items below which a part fits the processor's caches anyhow."""
MOST_PIVOTS = 1024
AT_ONCE = 1 << 14


def near_together(vectors: FloatMatrix, positions: IntVector, *, seed: int) -> IntVector:
    """Return the order in which the items of a part are best asked for.

    Queries that follow one another then read the same cells of an index, which are still in the
    processor's cache: with an inverted file of 250,000 vectors that is worth more than half of the
    rate. Items are sorted by the nearest of some drawn pivots, as in the assignment step of
    k-means; answers do not depend on it.

    Args:
        vectors: (m, d) float32 input vectors of the space.
        positions: (n,) int32 positions of the part's items.
        seed: of the pivots.

    Returns:
        (n,) int32, a permutation of the numbers within the part.

    Cost: O(n min(sqrt(n), 1024) d), in bounded memory.
    """
    n = len(positions)
    if n < FEWEST:
        return np.arange(n, dtype=np.int32)
    count = min(int(np.sqrt(n)), MOST_PIVOTS)
    drawn = np.sort(np.random.default_rng(seed).choice(n, count, replace=False))
    pivots = unit_rows(vectors[positions[drawn]])
    nearest = np.empty(n, dtype=np.int16)
    for start in range(0, n, AT_ONCE):
        block = vectors[positions[start : start + AT_ONCE]]
        nearest[start : start + AT_ONCE] = (block @ pivots.T).argmax(axis=1)
    return np.argsort(nearest, kind="stable").astype(np.int32)
