"""VSKNN: which training sessions are like the beginning of one, and what they vote for."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntVector


@njit(nogil=True, cache=True)
def recent_sharers(
    query: IntVector,
    weights: NDArray[np.float64],
    item_offsets: NDArray[np.int64],
    item_sessions: IntVector,
    sample: int,
) -> Any:
    """Return the most recent sessions that hold an item of the query, and their similarity.

    Args:
        query: (q,) int32 distinct items.
        weights: (q,) float64 that a shared item adds to the similarity.
        item_offsets: (m + 1,) int64.
        item_sessions: numbers of sessions by item, ascending; later sessions are more recent.
        sample: sessions wanted.

    Returns:
        (sessions, similarities): int32, most recent first, and float64.

    Cost: O(sample * q).
    """
    sessions = np.empty(sample, dtype=np.int32)
    similarities = np.empty(sample, dtype=np.float64)
    heads = item_offsets[query + 1] - 1  # the lists are merged from their ends
    starts = item_offsets[query]
    size = 0
    while size < sample:
        latest = -1
        for i in range(query.shape[0]):
            if heads[i] >= starts[i]:
                latest = max(latest, item_sessions[heads[i]])
        if latest < 0:
            break
        similarity = 0.0
        for i in range(query.shape[0]):
            if heads[i] >= starts[i] and item_sessions[heads[i]] == latest:
                heads[i] -= 1
                similarity += weights[i]
        sessions[size], similarities[size] = latest, similarity
        size += 1
    return sessions[:size], similarities[:size]


@njit(nogil=True, cache=True)
def vote(  # noqa: PLR0913 - kernels take arrays, not objects
    offsets: NDArray[np.int64],
    items: IntVector,
    sessions: IntVector,
    similarities: NDArray[np.float64],
    steps: NDArray[np.int64],
    boosts: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> None:
    """Add what sessions say to the scores of their items.

    Args:
        offsets: (s + 1,) int64 of the distinct items of every session.
        items: int32 items.
        sessions: (k,) int32 that vote.
        similarities: (k,) float64.
        steps: (m,) int64 place of each item counted from the end of the query, 1 for the last; 0
            where the query does not hold it.
        boosts: (m,) float64 factor of each item.
        scores: (m,) float64, added to.
    """
    for i in range(sessions.shape[0]):
        begin, end = offsets[sessions[i]], offsets[sessions[i] + 1]
        nearest = 0
        for place in range(begin, end):
            step = steps[items[place]]
            if step > 0 and (nearest == 0 or step < nearest):
                nearest = step
        for place in range(begin, end):
            item = items[place]
            scores[item] += similarities[i] / nearest * boosts[item]


@njit(nogil=True, cache=True)
def vsknn(  # noqa: PLR0913 - kernels take arrays, not objects
    prefix_offsets: NDArray[np.int64],
    prefix_items: IntVector,
    offsets: NDArray[np.int64],
    items: IntVector,
    item_offsets: NDArray[np.int64],
    item_sessions: IntVector,
    boosts: NDArray[np.float64],
    neighbors: int,
    sample: int,
    scores: FloatMatrix,
) -> None:
    """Score every item for every prefix.

    Args:
        prefix_offsets: (q + 1,) int64.
        prefix_items: int32 items of the prefixes, oldest first.
        offsets: (s + 1,) int64.
        items: int32 distinct items of every training session.
        item_offsets: (m + 1,) int64.
        item_sessions: int32 training sessions of every item, ascending.
        boosts: (m,) float64, 1 + idf * weight.
        neighbors: sessions that vote.
        sample: sessions that are compared.
        scores: (q, m) float32, filled; -inf where no session votes.
    """
    steps = np.zeros(scores.shape[1], dtype=np.int64)
    sums = np.zeros(scores.shape[1], dtype=np.float64)
    for q in range(scores.shape[0]):
        prefix = prefix_items[prefix_offsets[q] : prefix_offsets[q + 1]]
        length = prefix.shape[0]
        for place in range(length):
            steps[prefix[place]] = length - place
        query = np.unique(prefix)
        # The last place of an item counts: (place / length)^2, over the number of distinct items.
        weights = ((length + 1 - steps[query]) / length) ** 2 / query.shape[0]
        found, similar = recent_sharers(query, weights, item_offsets, item_sessions, sample)
        best = np.argsort(-similar, kind="mergesort")[:neighbors]
        sums[:] = 0
        vote(offsets, items, found[best], similar[best], steps, boosts, sums)
        for item in range(sums.shape[0]):
            scores[q, item] = sums[item] if sums[item] > 0 else -np.inf
        steps[query] = 0
