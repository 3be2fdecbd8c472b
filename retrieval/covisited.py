"""Items that share sessions with what was visited."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.covisitation import CovisitationTable
from artifacts.relation import ScoreKind
from retrieval.candidates import Source
from retrieval.ranked_list import RankedList, best_first

ROUNDING = 1e-6
"""Share of what speaks for and against an item up to which a sum may be nothing but the rounding of
the table's float32."""


@dataclass(frozen=True, slots=True)
class Covisited:
    """The lists of the co-visitation table, of one item or of several added up."""

    table: CovisitationTable

    def of(self, row: int) -> RankedList:
        """Return the list of an item as it stands, empty if it has none. Cost: O(1), no copy."""
        rows, scores, _ = self.table.lookup(row)
        return _ranked(np.asarray(rows), np.asarray(scores))

    def rank(self, visited: IntVector, weights: NDArray[np.floating], n: int) -> RankedList:
        """Add up the lists of the visited items, each times the weight of its visit.

        The damped counts of one table share a scale, so their sums rank. What is spoken against as
        much as for, by a sum of 0 or less, is left out.

        Cost: O(length of the lists).
        """
        held = visited >= 0
        lists = [self.table.lookup(int(row)) for row in visited[held]]
        if not lists:
            return _ranked(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))
        lengths = [len(rows) for rows, _, _ in lists]
        scores = np.concatenate([scores for _, scores, _ in lists], dtype=np.float64)
        parts = scores * np.repeat(weights[held], lengths)
        rows, places = np.unique(
            np.concatenate([rows for rows, _, _ in lists]), return_inverse=True
        )
        sums = np.bincount(places, weights=parts, minlength=len(rows))
        wanted = sums > ROUNDING * np.bincount(places, weights=np.abs(parts), minlength=len(rows))
        best = best_first(rows[wanted].astype(np.int32), sums[wanted].astype(np.float32), n)
        return _ranked(*best)


def _ranked(rows: IntVector, scores: FloatVector) -> RankedList:
    return RankedList(rows, scores, Source.CO_OCCURRENCE, ScoreKind.CO_OCCURRENCE)
