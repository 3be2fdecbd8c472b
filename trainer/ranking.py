"""Rank the true next item among all candidates, exactly and in bounded memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntVector
from trainer.scorers import NOT_A_CANDIDATE, Scorer

UNRANKED = 0
"""Rank of a target that the method does not score, or whose query it does not know."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a method made of n cases.

    Attributes:
        ranks: (n,) int64, 1 for the best; 0 where query or target is unknown.
        rows: (m,) int32 vocabulary rows of the candidates, ascending.
        listings: (m,) int64 cases in whose list each candidate stands.
    """

    ranks: NDArray[np.int64]
    rows: IntVector
    listings: NDArray[np.int64]

    @property
    def listed(self) -> IntVector:
        """Vocabulary rows, ascending, that stand in at least one list."""
        return self.rows[self.listings > 0]

    def reciprocal(self, k: int) -> NDArray[np.float64]:
        """Return (n,) 1 / rank where the rank is at most `k`, else 0."""
        hit = self.hits(k)
        return np.divide(1.0, self.ranks, out=np.zeros(len(self.ranks)), where=hit)

    def hits(self, k: int) -> NDArray[np.bool_]:
        """Return (n,) whether the target is among the first `k`."""
        return (self.ranks > UNRANKED) & (self.ranks <= k)

    def gains(self, k: int) -> NDArray[np.float64]:
        """Return (n,) NDCG where one item alone is relevant: 1 / log2(rank + 1), else 0.

        Reference: Jarvelin and Kekalainen 2002; the ideal list has the item first, so it gains 1.
        """
        discounts = np.log2(np.where(self.hits(k), self.ranks, 1) + 1)
        return np.where(self.hits(k), 1 / discounts, 0.0)


@dataclass(frozen=True, slots=True)
class Cases:
    """The last steps of n sessions.

    Attributes:
        queries: (n,) int32 rows of the penultimate items.
        targets: (n,) int32 rows of the last items.
    """

    queries: IntVector
    targets: IntVector

    def __len__(self) -> int:
        return len(self.queries)


def rank_cases(
    scorer: Scorer,
    cases: Cases,
    *,
    k: int,
    block_bytes: int,
    step: Callable[[int], None] = lambda _: None,
) -> Ranking:
    """Rank every target among all candidates but the query item.

    A candidate that scores as high as the target counts as better than it, so that a method which
    cannot tell items apart gains nothing by it.

    Args:
        scorer: the method; its `rows` lie within the vocabulary.
        cases: queries and targets, vocabulary rows.
        k: length of the lists behind `listings`, ties by ascending row.
        block_bytes: size of the scores held at a time, at least one query's.
        step: told the number of queries after each block.

    Cost: O(different queries * candidates) for scores and lists, O(n * candidates) for ranks.
    """
    ranks = np.full(len(cases), UNRANKED, dtype=np.int64)
    listings = np.zeros(len(scorer.rows), dtype=np.int64)
    asked = positions(scorer.rows, cases.queries)  # (n,)
    wanted = positions(scorer.rows, cases.targets)  # (n,)
    for block in _blocks(asked, rows_per_block(block_bytes, len(scorer.rows))):
        queries = asked[block]
        different, place, times = np.unique(queries, return_inverse=True, return_counts=True)
        scores = scorer.scores(scorer.rows[different])  # (q, m)
        scores[np.arange(len(different)), different] = NOT_A_CANDIDATE
        ranks[block] = ranks_among(scores, place, wanted[block])
        for row, cases_of_query in zip(scores, times, strict=True):
            listings[best_positions(row, k)] += cases_of_query
        step(len(different))
    return Ranking(ranks, scorer.rows, listings)


def rows_per_block(block_bytes: int, candidates: int) -> int:
    """Return how many lists of float32 scores fit a block, at least one."""
    return max(1, block_bytes // (4 * max(candidates, 1)))


def positions(rows: IntVector, wanted: IntVector) -> NDArray[np.int64]:
    """Return where `wanted` stand in the ascending `rows`, -1 for each that is not there."""
    if not len(rows):
        return np.full(len(wanted), -1, dtype=np.int64)
    found = np.minimum(np.searchsorted(rows, wanted), len(rows) - 1)
    return np.where(rows[found] == wanted, found, -1)


def ranks_among(
    scores: FloatMatrix, place: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rank of candidate `wanted[i]` in the scores of query `place[i]`."""
    own = np.where(wanted >= 0, scores[place, wanted], NOT_A_CANDIDATE)
    ranks = np.full(len(place), UNRANKED, dtype=np.int64)
    for case in np.flatnonzero(own > NOT_A_CANDIDATE):
        # The target itself is among those that score at least as high, which makes ranks start at 1.
        ranks[case] = np.count_nonzero(scores[place[case]] >= own[case])
    return ranks


def best_positions(scores: FloatVector, k: int) -> NDArray[np.int64]:
    """Return the positions of the k best candidates, ties by position."""
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        candidates = np.flatnonzero(scores >= least)
    else:
        candidates = np.arange(len(scores))
    candidates = candidates[scores[candidates] > NOT_A_CANDIDATE]
    return candidates[np.argsort(-scores[candidates], kind="stable")][:k]


def _blocks(asked: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Give the cases with a known query in groups that share at most `size` different queries."""
    order = np.argsort(asked, kind="stable")
    order = order[asked[order] >= 0]
    if not len(order):
        return
    different = np.cumsum(np.diff(asked[order], prepend=asked[order[0]]) != 0)
    for first in range(0, int(different[-1]) + 1, size):
        low, high = np.searchsorted(different, [first, first + size])
        yield order[low:high]
