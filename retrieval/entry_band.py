"""What is too close or too far for one entry: by the space's bands and by the caller's wish."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.relation import Relation
from indexer.band_kernels import BETWEEN, KEPT, TO_SOURCE, TOO_FAR
from indexer.bands import MOST_HITS, NO_CEILING, NO_FLOOR, OpenList, further_reasons
from retrieval.answer import Stage
from retrieval.filters import CompiledFilter
from retrieval.queries import NearDuplicateBand
from retrieval.query_vector import QueryVector
from retrieval.state import ServingState

STAGES = np.zeros(KEPT + 1, dtype=np.int8)
"""Stage by reason."""
STAGES[[TO_SOURCE, BETWEEN, TOO_FAR, KEPT]] = [
    Stage.TOO_CLOSE_TO_QUERY,
    Stage.TOO_CLOSE_TO_RESULT,
    Stage.MIN_SIMILARITY,
    Stage.PASSED,
]

LOOKED_AT = [
    Stage.PASSED,
    Stage.MIN_SIMILARITY,
    Stage.TOO_CLOSE_TO_QUERY,
    Stage.TOO_CLOSE_TO_RESULT,
]
"""What becomes of a row whose likeness is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class EntryBand:
    """Thresholds of one entry.

    Attributes:
        table: the space in which likeness is measured, as input-to-input cosine.
        limits: (3,) float32 as `indexer.band_kernels.keep_apart` takes them.
        most_hits: rows looked at before the answer is left short.
        is_wished: whether the caller asked for more than the bands of the space.
    """

    table: EmbeddingTable
    limits: FloatVector
    most_hits: int = MOST_HITS
    is_wished: bool = False

    @property
    def least(self) -> float:
        """Likeness to the query below which an item is too far; below -1 where there is none."""
        return float(self.limits[TOO_FAR])

    def judge(
        self,
        rows: IntVector,
        verdicts: NDArray[np.int8],
        *,
        held: IntVector,
        wanted: int,
        query: QueryVector | None,
    ) -> NDArray[np.int8]:
        """Say of each row that passed so far whether it is too close or too far.

        What has no vector is not known to be too close, nor to be close enough; and to a query
        without a vector nothing is known to be either, so that only the answers are held apart.

        Args:
            rows: (m,) vocabulary rows, best first.
            verdicts: (m,) a `Stage` of each.
            held: rows that the answer holds already.
            wanted: how many more it can take; rows behind the last of them are not looked at.
            query: what an answer must be neither too close to nor too far from.

        Cost: O(m d) and O(m (held + wanted) d) where answers are held apart.
        """
        verdicts = verdicts.copy()
        left = np.flatnonzero(verdicts == Stage.PASSED)
        positions = self.table.positions(rows[left])
        known = positions >= 0
        if query is not None and self.limits[TOO_FAR] > NO_FLOOR:
            verdicts[left[~known]] = Stage.MIN_SIMILARITY
        reasons = further_reasons(
            self._open_list(held, wanted, query),
            self.table.vectors[positions[known]],
            self.limits if query is not None else self._without_source(),
        )
        verdicts[left[known]] = STAGES[reasons]
        return verdicts

    def _open_list(self, held: IntVector, wanted: int, query: QueryVector | None) -> OpenList:
        positions = self.table.positions(held)
        source = query.values if query is not None else np.zeros(self.table.dim, dtype=np.float32)
        return OpenList(source, self.table.vectors[positions[positions >= 0]], wanted)

    def _without_source(self) -> FloatVector:
        limits = self.limits.copy()
        limits[[TO_SOURCE, TOO_FAR]] = NO_CEILING, NO_FLOOR
        return limits


def entry_band(
    state: ServingState,
    index: tuple[str, Relation],
    category: int | None,
    filter: CompiledFilter,
) -> EntryBand | None:
    """Return what is too close or too far for an entry, or None where nothing is.

    Where the space and the caller both say so, the stricter one holds.

    Args:
        state: the snapshot.
        index: space and relation that are answered.
        category: code of the top category of the query; None where it has none or several.
        filter: what the caller asks for.
    """
    bands = state.bands.get(index)
    wish = filter.near_duplicates
    if bands is None and wish is None:
        return None
    table = state.snapshot.spaces[index[0]]
    if bands is None:
        assert wish is not None, "bug: no band at all"
        return EntryBand(table, _wished(wish), is_wished=True)
    limits = bands.limits(category)
    if wish is None:
        return EntryBand(table, limits, bands.most_hits)
    stricter = np.minimum(limits, _wished(wish))
    stricter[TOO_FAR] = limits[TOO_FAR]
    return EntryBand(table, stricter, bands.most_hits, is_wished=True)


def looked_at(verdicts: NDArray[np.int8]) -> int:
    """Count the rows whose likeness was measured, or that passed without."""
    return int(np.isin(verdicts, LOOKED_AT).sum())


def _wished(wish: NearDuplicateBand) -> FloatVector:
    to_query, between = wish.max_similarity_to_query, wish.max_similarity_between_results
    limits = np.array([NO_CEILING, NO_CEILING, NO_FLOOR], dtype=np.float32)
    if to_query is not None:
        limits[TO_SOURCE] = to_query
    if between is not None:
        limits[BETWEEN] = between
    return limits
