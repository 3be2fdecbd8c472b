"""Where a candidate stands in the lists of the sources."""

from collections.abc import Sequence

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.ranker import FeatureKind, FeatureSpec
from retrieval.mixing.weighted_list import RANK_CONSTANT
from retrieval.ranking.feature_input import FeatureInput


class ListFeatures:
    """Rank and score in each list, how many lists hold it, and their fusion by ranks.

    Args:
        sources: names of the lists, in order.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        ranks = [FeatureSpec(name=f"{name}.rank", kind=FeatureKind.COUNT) for name in sources]
        scores = [FeatureSpec(name=f"{name}.score") for name in sources]
        held = FeatureSpec(name="lists.count", kind=FeatureKind.COUNT)
        self.specs = (*ranks, *scores, held, FeatureSpec(name="lists.fusion"))
        self._count = len(sources)

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Write ranks, scores, and what they come to. Cost: O(m log n) for m entries of lists."""
        ranks, scores = given.places
        held = ranks > 0
        out[:, : self._count] = np.where(held, ranks, np.nan)
        out[:, self._count : 2 * self._count] = scores
        out[:, -2] = held.sum(axis=1)
        worth = np.zeros(len(ranks))
        for place in range(self._count):  # in order: the sum of a row depends on no other row
            worth += np.where(held[:, place], 1 / (RANK_CONSTANT + ranks[:, place]), 0)
        out[:, -1] = worth
