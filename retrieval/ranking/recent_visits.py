"""The visits that count most: the last ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from retrieval.ranking.context import RankContext


@dataclass(frozen=True, slots=True, eq=False)
class RecentVisits:
    """The last distinct items that were visited.

    Attributes:
        rows: (m,) int32, most recent first.
        weights: (m,) float64, > 0, adding up to 1; the visits of one item together.
        visited: (w,) int32 all distinct rows of the context, ascending.
    """

    rows: IntVector
    weights: NDArray[np.float64]
    visited: IntVector

    @classmethod
    def of(cls, context: RankContext, most: int, half_life: float | None) -> "RecentVisits":
        """Return at most `most` items.

        Args:
            context: the visits.
            most: distinct items wanted.
            half_life: visits before the last one at which one counts half; None: all count alike.

        Cost: O(visits until `most` items are met), and O(v log v) to know all of them.
        """
        totals: dict[int, float] = {}
        for age, row in enumerate(context.rows[::-1].tolist()):
            if row not in totals and len(totals) == most:
                break
            share = 1.0 if half_life is None else 2.0 ** (-age / half_life)
            totals[row] = totals.get(row, 0.0) + share
        weights = np.array(list(totals.values()), dtype=np.float64)
        return cls(
            rows=np.array(list(totals), dtype=np.int32),
            weights=weights / weights.sum() if len(weights) else weights,
            visited=np.unique(context.rows),
        )
