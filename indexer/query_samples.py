"""Which items ask when an index is measured: each alike, or each as often as it is visited."""

from typing import NamedTuple

import numpy as np

from artifacts.arrays import FloatVector, IntVector


class QuerySample(NamedTuple):
    """Items that ask, none of them twice.

    Attributes:
        places: (q,) int32, below n.
        weights: (q,) float32, how much each counts; their sum is 1.
    """

    places: IntVector
    weights: FloatVector


def even_sample(n: int, size: int, rng: np.random.Generator) -> QuerySample:
    """Draw `size` of n items, each with the same chance, or take all where there are fewer."""
    places = rng.choice(n, min(size, n), replace=False).astype(np.int32)
    return QuerySample(places, np.full(len(places), 1 / len(places), dtype=np.float32))


def visited_sample(
    popularity: IntVector, size: int, rng: np.random.Generator
) -> QuerySample | None:
    """Draw items as often as they are visited, so that a mean is what a visitor meets.

    A mean over items hides what an index does to the best sellers: they are few. An inverted file
    over inner products can answer exactly them wrongly, their vectors being the longest.

    Args:
        popularity: (n,) >= 0, sessions that hold the item.
        size: draws; items that are drawn again count so much more.
        rng: of the draws.

    Returns:
        At most `size` items; None where no item was ever visited.
    """
    visits = np.asarray(popularity, dtype=np.float64)
    if not visits.any():
        return None
    drawn = rng.choice(len(visits), size, p=visits / visits.sum())
    places, times = np.unique(drawn, return_counts=True)
    return QuerySample(places.astype(np.int32), (times / size).astype(np.float32))
