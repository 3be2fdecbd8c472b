"""Orders of candidates, over many contexts at once."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import IntVector

RANK_CONSTANT = 60.0
"""How slowly worth falls with rank (Cormack, Clarke, Büttcher 2009, section 2); mixing has the same."""


@njit(nogil=True, cache=True)
def hit_ranks(
    offsets: NDArray[np.int64], labels: NDArray[np.int8], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the rank of every hit among the candidates of its context, by descending score.

    Args:
        offsets: (q + 1,) int64, contexts.
        labels: (n,) int8, above 0 for hits.
        scores: (n,) float64 without NaN; minus infinity leaves a candidate out. Of equal scores the
            earlier place comes first.

    Returns:
        (n,) float64 from 1; infinity for what is no hit, or left out.

    Cost: O(n * hits of a context) time, which for few hits is less than sorting.
    """
    ranks = np.full(labels.shape[0], np.inf)
    for context in range(offsets.shape[0] - 1):
        start, end = offsets[context], offsets[context + 1]
        for hit in range(start, end):
            if labels[hit] <= 0 or scores[hit] == -np.inf:
                continue
            ahead = 0
            for other in range(start, hit):
                ahead += scores[other] >= scores[hit]
            for other in range(hit + 1, end):
                ahead += scores[other] > scores[hit]
            ranks[hit] = ahead + 1
    return ranks


@njit(nogil=True, cache=True)
def fuse_ranks(ranks: NDArray[np.int16], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for every candidate, the sum of weight / (60 + rank) over the sources that hold it.

    Args:
        ranks: (n, s) int16, rank of each candidate in each source from 1, 0 where it is in none.
        weights: (s,) float64, not negative.

    Returns:
        (n,) float64; minus infinity where no source of a weight above 0 holds the candidate.

    Cost: O(n * s) time. Sources are summed in order, so that equal sums are equal numbers.
    """
    scores = np.empty(ranks.shape[0])
    for candidate in range(ranks.shape[0]):
        total = 0.0
        for source in range(ranks.shape[1]):
            if ranks[candidate, source] > 0:
                total += weights[source] * (1.0 / (RANK_CONSTANT + ranks[candidate, source]))
        scores[candidate] = total if total > 0 else -np.inf
    return scores


@njit(nogil=True, cache=True)
def _write_lists(
    lists: NDArray[np.int64],
    ranks: NDArray[np.int16],
    order: IntVector,
    bounds: NDArray[np.int64],
) -> None:
    """Write the candidates of one context as lists, best first; -1 where a list has none."""
    lists[:] = -1
    for candidate in range(bounds[0], bounds[1]):
        for turn in range(order.shape[0]):
            rank = ranks[candidate, order[turn]]
            if rank > 0:
                lists[turn, rank - 1] = candidate


@njit(nogil=True, cache=True)
def _next(
    candidates: NDArray[np.int64],
    heads: NDArray[np.int64],
    turn: int,
    scores: NDArray[np.float64],
) -> int:
    """Return the next candidate of a list that nobody gave, moving its head past it; -1 for none."""
    while heads[turn] < candidates.shape[0]:
        candidate = candidates[heads[turn]]
        heads[turn] += 1
        if candidate >= 0 and scores[candidate] == -np.inf:
            return int(candidate)
    return -1


@njit(nogil=True, cache=True)
def take_turns(
    offsets: NDArray[np.int64],
    ranks: NDArray[np.int16],
    order: IntVector,
    depth: int,
) -> NDArray[np.float64]:
    """Let each source give its best candidate that is not taken yet, in turn.

    Args:
        offsets: (q + 1,) int64, contexts.
        ranks: (n, s) int16, rank of each candidate in each source from 1, 0 where it is in none.
        order: sources in the order of their turns; others give nothing.
        depth: the highest rank.

    Returns:
        (n,) float64: -1 for the first candidate of a context, -2 for the second and so on; minus
        infinity for what nobody gives.

    Cost: O((n + q * depth) * s) time.
    """
    scores = np.full(ranks.shape[0], -np.inf)
    lists = np.empty((order.shape[0], depth), dtype=np.int64)
    heads = np.empty(order.shape[0], dtype=np.int64)
    for context in range(offsets.shape[0] - 1):
        _write_lists(lists, ranks, order, offsets[context : context + 2])
        heads[:] = 0
        given, before = 0, -1
        while given != before:
            before = given
            for turn in range(order.shape[0]):
                candidate = _next(lists[turn], heads, turn, scores)
                if candidate >= 0:
                    given += 1
                    scores[candidate] = -given
    return scores
