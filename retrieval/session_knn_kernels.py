"""VMIS-kNN: which recent sessions are like this one, and what they vote for."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import IntVector

EMPTY = -1
SCATTER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio: neighbouring rows fall into slots far apart (Knuth 6.4)."""


@njit(nogil=True, cache=True)
def sample_sessions(
    item_offsets: NDArray[np.int64],
    item_sessions: IntVector,
    query: IntVector,
    decays: NDArray[np.float64],
    sample: int,
) -> Any:
    """Merge the lists of the query's items and score the most recent sessions on them.

    The paper's algorithm 2 fills a hash map and evicts the oldest session from a heap. What is left
    at its end are the `sample` most recent sessions of all lists, each with the decays of all its
    items, since a session once evicted or refused is older than all that stay. The lists descend,
    so merging them from the front finds the same sessions without map, heap or eviction.

    Args:
        item_offsets: (v + 1,) int64.
        item_sessions: session numbers by item, descending.
        query: (q,) int32 distinct item rows, most recent first.
        decays: (q,) float64 weight of each.
        sample: sessions wanted, >= 1.

    Returns:
        (sessions, similarities): int32 numbers, descending; float64 sums of decays.

    Cost: O(sample * q).
    """
    sessions = np.empty(sample, dtype=np.int32)
    similarities = np.empty(sample, dtype=np.float64)
    heads = item_offsets[query]
    ends = item_offsets[query + 1]
    size = 0
    while size < sample:
        latest = EMPTY
        for i in range(query.shape[0]):
            if heads[i] < ends[i]:
                latest = max(latest, item_sessions[heads[i]])
        if latest == EMPTY:
            break
        similarity = 0.0
        for i in range(query.shape[0]):
            if heads[i] < ends[i] and item_sessions[heads[i]] == latest:
                heads[i] += 1
                similarity += decays[i]
        sessions[size], similarities[size] = latest, similarity
        size += 1
    return sessions[:size], similarities[:size]


@njit(nogil=True, cache=True)
def first_match(items: IntVector, query: IntVector) -> int:
    """Return the place of the first item of `query` that a session holds, len(query) if none.

    The session itself is asked: it may hold an item among whose most recent sessions it is not.
    """
    first: int = query.shape[0]
    for item in items:
        for place in range(first):
            if query[place] == item:
                first = place
                break
    return first


@njit(nogil=True, cache=True)
def gather_votes(
    session_offsets: NDArray[np.int64],
    session_items: IntVector,
    sessions: IntVector,
    votes: NDArray[np.float64],
) -> Any:
    """Add up the votes of sessions for their items.

    Args:
        session_offsets: (s + 1,) int64.
        session_items: distinct item rows by session.
        sessions: (k,) int32 numbers.
        votes: (k,) float64, what each gives to every item in it.

    Returns:
        (items, sums): int32 distinct item rows in the order they were met; float64.

    Cost: O(number of entries); memory of twice as many, whatever the size of the vocabulary.
    """
    entries = 0
    for session in sessions:
        entries += session_offsets[session + 1] - session_offsets[session]
    bits = 1
    while (1 << bits) < 2 * entries:
        bits += 1
    slots = np.full(1 << bits, EMPTY, dtype=np.int32)
    mask = (1 << bits) - 1
    items = np.empty(entries, dtype=np.int32)
    sums = np.zeros(entries, dtype=np.float64)
    size = 0
    for i in range(sessions.shape[0]):
        session = sessions[i]
        for item in session_items[session_offsets[session] : session_offsets[session + 1]]:
            slot = np.int64((np.uint64(item) * SCATTER) >> np.uint64(64 - bits))
            while slots[slot] != EMPTY and items[slots[slot]] != item:
                slot = (slot + 1) & mask
            if slots[slot] == EMPTY:
                slots[slot] = size
                items[size] = item
                size += 1
            sums[slots[slot]] += votes[i]
    return items[:size], sums[:size]


@njit(nogil=True, cache=True)
def vmis_knn(  # noqa: PLR0913 - kernels take arrays, not objects
    item_offsets: NDArray[np.int64],
    item_sessions: IntVector,
    session_offsets: NDArray[np.int64],
    session_items: IntVector,
    support: IntVector,
    total: int,
    query: IntVector,
    decays: NDArray[np.float64],
    match_weights: NDArray[np.float64],
    sample: int,
    neighbors: int,
) -> Any:
    """Score every item of the most similar recent sessions.

    Args:
        item_offsets: (v + 1,) int64.
        item_sessions: session numbers by item, descending.
        session_offsets: (s + 1,) int64.
        session_items: distinct item rows by session.
        support: (v,) int32, sessions that hold each item.
        total: all sessions.
        query: (q,) int32 distinct item rows, most recent first.
        decays: (q,) float64, what sharing each item adds to a session's similarity.
        match_weights: (q,) float64, weight of a session whose most recent shared item is that one.
        sample: sessions compared.
        neighbors: sessions that vote.

    Returns:
        (items, scores): int32 rows, in no order; float32.
    """
    sessions, similarities = sample_sessions(item_offsets, item_sessions, query, decays, sample)
    # A stable sort keeps the more recent of two equally similar sessions.
    best = np.argsort(-similarities, kind="mergesort")[:neighbors]
    sessions, votes = sessions[best], similarities[best]
    for i in range(sessions.shape[0]):
        start, end = session_offsets[sessions[i]], session_offsets[sessions[i] + 1]
        votes[i] *= match_weights[first_match(session_items[start:end], query)]
    items, sums = gather_votes(session_offsets, session_items, sessions, votes)
    scores = np.empty(items.shape[0], dtype=np.float32)
    for i in range(items.shape[0]):
        scores[i] = sums[i] * np.log(total / support[items[i]])
    return items, scores
