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
    """What a method made of n sessions.

    Attributes:
        ranks: (n,) int64, 1 for the best; 0 where query or target is unknown.
        listed: vocabulary rows, ascending, that stand in the list of at least one query.
    """

    ranks: NDArray[np.int64]
    listed: IntVector

    def reciprocal(self, k: int) -> NDArray[np.float64]:
        """Return (n,) 1 / rank where the rank is at most `k`, else 0."""
        hit = self.hits(k)
        return np.divide(1.0, self.ranks, out=np.zeros(len(self.ranks)), where=hit)

    def hits(self, k: int) -> NDArray[np.bool_]:
        """Return (n,) whether the target is among the first `k`."""
        return (self.ranks > UNRANKED) & (self.ranks <= k)


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
        k: length of the lists behind `listed`, ties by ascending row.
        block_bytes: size of the scores held at a time, at least one query's.
        step: told the number of queries after each block.

    Cost: O(different queries * candidates) for scores and lists, O(n * candidates) for ranks.
    """
    ranks = np.full(len(cases), UNRANKED, dtype=np.int64)
    listed = np.zeros(len(scorer.rows), dtype=np.bool_)
    asked = _positions(scorer.rows, cases.queries)  # (n,)
    wanted = _positions(scorer.rows, cases.targets)  # (n,)
    for block in _blocks(asked, max(1, block_bytes // (4 * max(len(scorer.rows), 1)))):
        queries = asked[block]
        different, place = np.unique(queries, return_inverse=True)
        scores = scorer.scores(scorer.rows[different])  # (q, m)
        scores[np.arange(len(different)), different] = NOT_A_CANDIDATE
        ranks[block] = _ranks(scores, place, wanted[block])
        for row in scores:
            listed[_best(row, k)] = True
        step(len(different))
    return Ranking(ranks, scorer.rows[listed])


def _positions(rows: IntVector, wanted: IntVector) -> NDArray[np.int64]:
    """Return where `wanted` stand in the ascending `rows`, -1 for each that is not there."""
    if not len(rows):
        return np.full(len(wanted), -1, dtype=np.int64)
    found = np.minimum(np.searchsorted(rows, wanted), len(rows) - 1)
    return np.where(rows[found] == wanted, found, -1)


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


def _ranks(
    scores: FloatMatrix, place: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rank of `wanted[i]` in the scores of query `place[i]`."""
    own = np.where(wanted >= 0, scores[place, wanted], NOT_A_CANDIDATE)
    ranks = np.full(len(place), UNRANKED, dtype=np.int64)
    for case in np.flatnonzero(own > NOT_A_CANDIDATE):
        # The target itself is among those that score at least as high, which makes ranks start at 1.
        ranks[case] = np.count_nonzero(scores[place[case]] >= own[case])
    return ranks


def _best(scores: FloatVector, k: int) -> NDArray[np.int64]:
    """Return the positions of the k best candidates, ties by position."""
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        candidates = np.flatnonzero(scores >= least)
    else:
        candidates = np.arange(len(scores))
    candidates = candidates[scores[candidates] > NOT_A_CANDIDATE]
    return candidates[np.argsort(-scores[candidates], kind="stable")][:k]
