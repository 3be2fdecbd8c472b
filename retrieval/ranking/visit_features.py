"""What the visits say by themselves, and whether a candidate is one of them."""

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.covisitation import CovisitationTable
from artifacts.ranker import FeatureKind, FeatureSpec
from retrieval.ranking.feature_input import FeatureInput
from retrieval.ranking.feature_kernels import covisit_counts, seen_before

COUNT = FeatureKind.COUNT


class VisitFeatures:
    """Visits of the candidate, the last of them, and how many visits there are."""

    def __init__(self) -> None:
        self.specs = (
            FeatureSpec(name="session.seen", kind=COUNT),
            FeatureSpec(name="session.seen_age", kind=COUNT),
            FeatureSpec(name="session.visits", kind=COUNT),
            FeatureSpec(name="session.distinct", kind=COUNT),
        )

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Write the counts. Cost: O(n v)."""
        seen_before(given.context.rows, given.rows, out[:, :2])
        out[:, 2] = len(given.context.rows)
        out[:, 3] = len(given.compared.visited)


class CovisitationFeatures:
    """Sessions that a candidate shares with the last visit and with all, and visits that list it.

    Args:
        table: the items that share sessions; counts of those that its lists leave out are 0.
        popularity: (v,) int32, sessions that hold each item.
    """

    def __init__(self, table: CovisitationTable, popularity: IntVector) -> None:
        self.specs = (
            FeatureSpec(name="co_occurrence.count_last", kind=COUNT),
            FeatureSpec(name="co_occurrence.share_last"),
            FeatureSpec(name="co_occurrence.count_all", kind=COUNT),
            FeatureSpec(name="co_occurrence.visits", kind=COUNT),
        )
        self._offsets = np.asarray(table.neighbors.offsets)
        self._values = np.asarray(table.neighbors.values)
        self._counts = np.asarray(table.counts)
        self._popularity = np.asarray(popularity)

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Write the counts, and what the one with the last visit is of that item's sessions."""
        recent = given.recent.rows
        table = (self._offsets, self._values, self._counts)
        last, together, holders = covisit_counts(*table, recent, given.rows)
        sessions = int(self._popularity[recent[0]]) if len(recent) else 0
        out[:, 0] = last
        out[:, 1] = last / max(sessions, 1)
        out[:, 2] = together
        out[:, 3] = holders
