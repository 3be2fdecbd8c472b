"""What orders of candidates are worth: NDCG, reciprocal rank and hits of every context."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.ranking_table import RankingTable
from trainer.ranker_kernels import hit_ranks

UNLISTED = -np.inf
"""Score of a candidate that an order leaves out: it stands at no rank."""


@dataclass(frozen=True, slots=True)
class ListValues:
    """What an order is worth in each of q contexts.

    Attributes:
        ndcg: (q,) discounted gains up to rank k by those of the ideal order (Järvelin and Kekäläinen
            2002); 0 where nothing that came next is a candidate.
        reciprocal: (q,) 1 / rank of the first candidate that came next, 0 beyond the list.
        hits: (q,) whether the list holds one.
    """

    ndcg: NDArray[np.float64]
    reciprocal: NDArray[np.float64]
    hits: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ListLengths:
    """How far down lists are looked at.

    Attributes:
        ndcg: for NDCG.
        hits: for reciprocal ranks and hits.
    """

    ndcg: int
    hits: int


def value_lists(
    table: RankingTable,
    scores: NDArray[np.float64],
    gains: Sequence[float],
    lengths: ListLengths,
) -> ListValues:
    """Order the candidates of each context by score and tell what the orders are worth.

    Args:
        table: contexts and grades.
        scores: (n,) higher is better, ties by ascending place, which is by ascending row; `UNLISTED`
            leaves a candidate out. No NaN.
        gains: of grade 0, which is 0, of grade 1 and so on.
        lengths: how far lists are looked at.

    Cost: that of `hit_ranks`.
    """
    labels = np.asarray(table.labels)
    ranks = hit_ranks(np.asarray(table.offsets), labels, scores)
    hits = np.flatnonzero(np.isfinite(ranks))
    owner = np.searchsorted(table.offsets, hits, side="right") - 1
    discounted = np.asarray(gains)[labels[hits]] / np.log2(ranks[hits] + 1)
    discounted[ranks[hits] > lengths.ndcg] = 0
    found = np.bincount(owner, weights=discounted, minlength=len(table))
    ideal = ideal_gains(table, gains, lengths.ndcg)
    ndcg = np.divide(found, ideal, out=np.zeros(len(table)), where=ideal > 0)
    first = np.full(len(table), np.inf)
    np.minimum.at(first, owner, ranks[hits])
    first[first > lengths.hits] = np.inf
    return ListValues(ndcg, 1 / first, np.isfinite(first).astype(np.float64))


def ideal_gains(
    table: RankingTable, gains: Sequence[float], k: int, *, missed: bool = True
) -> NDArray[np.float64]:
    """Return the discounted gains (q,) up to rank `k` of the best order there could be.

    Args:
        table: contexts and grades.
        gains: of grade 0, 1 and so on.
        k: length of the list.
        missed: True counts what came next and is no candidate; False orders the candidates alone.
    """
    reached = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    ideal, placed = np.zeros(len(table)), np.zeros(len(table), dtype=np.int64)
    for grade in range(table.grades, 0, -1):
        there = np.minimum(placed + _of_grade(table, grade, missed=missed), k)
        ideal += gains[grade] * (reached[there] - reached[placed])
        placed = there
    return ideal


def _of_grade(table: RankingTable, grade: int, *, missed: bool) -> NDArray[np.int64]:
    """Return how much (q,) of what came next has this grade."""
    sums = np.concatenate([[0], np.cumsum(table.labels == grade)])
    counts: NDArray[np.int64] = sums[table.offsets[1:]] - sums[table.offsets[:-1]]
    return counts + table.missed[:, grade - 1] if missed else counts
