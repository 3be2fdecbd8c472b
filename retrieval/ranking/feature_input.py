"""What features are computed from, and what computes some of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.ranker import FeatureSpec, ListSettings
from retrieval.ranking.candidate_lists import CandidateLists
from retrieval.ranking.context import RankContext
from retrieval.ranking.feature_kernels import list_places
from retrieval.ranking.recent_visits import RecentVisits

MOST_COMPARED = 100
"""Distinct visited items that candidates are compared with, the most recent ones."""


@dataclass(frozen=True, eq=False)
class FeatureInput:
    """A context, its lists, and the candidates.

    Attributes:
        context: what is ranked for.
        lists: the lists of the schema's sources.
        rows: (n,) int32 vocabulary rows of the candidates.
        settings: how the lists were gathered.
    """

    context: RankContext
    lists: CandidateLists
    rows: IntVector
    settings: ListSettings

    @cached_property
    def recent(self) -> RecentVisits:
        """The visits whose lists were looked at, weighted as there."""
        return RecentVisits.of(self.context, self.settings.visits, self.settings.half_life)

    @cached_property
    def compared(self) -> RecentVisits:
        """The visits that candidates are compared with, all alike."""
        return RecentVisits.of(self.context, MOST_COMPARED, None)

    @cached_property
    def places(self) -> tuple[NDArray[np.int16], FloatMatrix]:
        """(ranks, scores) of the candidates in the lists, (n, s) each."""
        lists = self.lists
        ranks, scores = list_places(lists.offsets, lists.rows, lists.scores, self.rows)
        return ranks, scores


class FeatureBlock(Protocol):
    """Computes columns that stand side by side.

    Attributes:
        specs: the columns, in order.
    """

    @property
    def specs(self) -> tuple[FeatureSpec, ...]: ...  # noqa: D102 - see the class

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Write the columns.

        Args:
            given: context, lists and candidates.
            out: (n, len(specs)) float32, written whole; not contiguous.
        """
        ...
