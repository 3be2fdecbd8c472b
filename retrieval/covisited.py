"""Items that share sessions with what was visited."""

from dataclasses import dataclass

import numpy as np

from artifacts.arrays import FloatVector, IntVector
from artifacts.covisitation import CovisitationTable
from artifacts.relation import ScoreKind
from retrieval.candidates import Source
from retrieval.ranked_list import RankedList, best_first


@dataclass(frozen=True, slots=True)
class Covisited:
    """The lists of the co-visitation table, of one item or of several added up."""

    table: CovisitationTable

    def of(self, row: int) -> RankedList:
        """Return the list of an item as it stands, empty if it has none. Cost: O(1), no copy."""
        rows, scores, _ = self.table.lookup(row)
        return _ranked(np.asarray(rows), np.asarray(scores))

    def rank(self, visited: IntVector, weights: FloatVector, n: int) -> RankedList:
        """Add up the lists of the visited items, each times the weight of its visit.

        The damped counts of one table share a scale, so their sums rank. What is spoken against as
        much as for, by a sum of 0 or less, is left out.

        Cost: O(length of the lists).
        """
        held = visited >= 0
        lists = [self.table.lookup(int(row)) for row in visited[held]]
        if not lists:
            return _ranked(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))
        items = np.concatenate([rows for rows, _, _ in lists])
        parts = [
            scores * weight for (_, scores, _), weight in zip(lists, weights[held], strict=True)
        ]
        rows, places = np.unique(items, return_inverse=True)
        sums = np.bincount(places, weights=np.concatenate(parts), minlength=len(rows))
        wanted = sums > 0
        best = best_first(rows[wanted].astype(np.int32), sums[wanted].astype(np.float32), n)
        return _ranked(*best)


def _ranked(rows: IntVector, scores: FloatVector) -> RankedList:
    return RankedList(rows, scores, Source.CO_OCCURRENCE, ScoreKind.CO_OCCURRENCE)
