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
    """Sessions that a candidate shares with the last visits, beside those that hold either.

    Args:
        table: the items that share sessions; counts of those that its lists leave out are 0.
        popularity: (v,) int32, sessions that hold each item.
    """

    def __init__(self, table: CovisitationTable, popularity: IntVector) -> None:
        self.specs = (
            FeatureSpec(name="co_occurrence.count_last", kind=COUNT),
            FeatureSpec(name="co_occurrence.count_all", kind=COUNT),
            FeatureSpec(name="co_occurrence.visits", kind=COUNT),
            FeatureSpec(name="co_occurrence.share_last"),
            FeatureSpec(name="co_occurrence.share_before"),
            FeatureSpec(name="co_occurrence.lift_last"),
        )
        self._offsets = np.asarray(table.neighbors.offsets)
        self._values = np.asarray(table.neighbors.values)
        self._counts = np.asarray(table.counts)
        self._popularity = np.asarray(popularity)

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Write the counts, what they are of the visited items' sessions, and of the candidate's."""
        recent = given.recent.rows
        table = (self._offsets, self._values, self._counts)
        found = covisit_counts(*table, recent, given.rows)
        sessions = np.maximum(self._popularity[recent[:2]], 1).tolist()
        last, before = (*sessions, 1, 1)[:2]
        out[:, 0] = found[:, 0]
        out[:, 1:3] = found[:, 2:]
        out[:, 3] = found[:, 0] / last
        out[:, 4] = found[:, 1] / before
        out[:, 5] = found[:, 0] / last / np.maximum(self._popularity[given.rows], 1)
