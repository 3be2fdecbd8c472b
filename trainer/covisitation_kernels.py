"""Counts the items that share sessions with an item, one item after another.

All sums lie in arrays over the vocabulary that are cleared by the list of what was touched, so that
an item costs the length of its sessions and memory does not grow with the pairs.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector


@njit(nogil=True, cache=True)
def _places_away(items: IntVector, item: int) -> Any:
    """Return (n,) int64, how many places each entry of a session is from the nearest `item`."""
    n = items.shape[0]
    places = np.empty(n, dtype=np.int64)
    seen = -n
    for place in range(n):
        if items[place] == item:
            seen = place
        places[place] = place - seen
    seen = 2 * n
    for place in range(n - 1, -1, -1):
        if items[place] == item:
            seen = place
        places[place] = min(places[place], seen - place)
    return places


@njit(nogil=True, cache=True)
def _strongest(items: IntVector, heaviness: FloatVector, item: int) -> float:
    """Return the weight of the heaviest event of `item`."""
    strongest = np.float32(0.0)
    for place in range(items.shape[0]):
        if items[place] == item:
            strongest = max(strongest, heaviness[place])
    return float(strongest)


@njit(nogil=True, cache=True)
def _add_session(  # noqa: PLR0913 - kernels take arrays, not objects
    items: IntVector,
    heaviness: FloatVector,
    item: int,
    by_distance: bool,
    stamp: int,
    sums: Any,
    found: IntVector,
    size: int,
) -> int:
    """Add one session to the sums of every other item in it; return how many were found so far.

    `heaviness` weighs the events of the session; empty, all weigh 1.

    `sums` holds arrays over the vocabulary: sessions, weights, and of the item's last session its
    stamp and the weight that it was counted with.
    """
    counts, weights, stamps, counted = sums
    weighted = heaviness.shape[0] > 0
    places = _places_away(items, item) if by_distance else np.empty(0, dtype=np.int64)
    strongest = _strongest(items, heaviness, item) if weighted else np.float32(1.0)
    for place in range(items.shape[0]):
        other = items[place]
        if other == item:
            continue
        weight = 1.0 / places[place] if by_distance else 1.0
        if weighted:
            weight *= min(strongest, heaviness[place])
        if stamps[other] == stamp:  # it is in this session twice: the weightier place counts
            if weight > counted[other]:
                weights[other] += weight - counted[other]
                counted[other] = weight
            continue
        if counts[other] == 0:
            found[size] = other
            size += 1
        stamps[other] = stamp
        counted[other] = weight
        counts[other] += 1
        weights[other] += weight
    return size


@njit(nogil=True, cache=True)
def _keep_best(  # noqa: PLR0913 - kernels take arrays, not objects
    found: IntVector,
    counts: IntVector,
    weights: NDArray[np.float64],
    damping: NDArray[np.float64],
    least: int,
    out_rows: IntVector,
    out_scores: Any,
    out_counts: IntVector,
) -> None:
    """Write the best of `found`, ties by ascending row; the rest of the line stays padding."""
    rows = np.sort(found)
    scores = np.empty(rows.shape[0], dtype=np.float32)
    for i in range(rows.shape[0]):
        scores[i] = weights[rows[i]] * damping[rows[i]]
    written = 0
    for place in np.argsort(-scores, kind="mergesort"):  # stable: equal scores keep their order
        if written == out_rows.shape[0]:
            break
        row = rows[place]
        if counts[row] < least:
            continue
        out_rows[written] = row
        out_scores[written] = scores[place]
        out_counts[written] = counts[row]
        written += 1


@njit(nogil=True, cache=True)
def covisited(  # noqa: PLR0913 - kernels take arrays, not objects
    first: int,
    session_offsets: NDArray[np.int64],
    session_items: IntVector,
    session_weights: FloatVector,
    item_offsets: NDArray[np.int64],
    item_sessions: IntVector,
    damping: NDArray[np.float64],
    by_distance: bool,
    least: int,
    out_rows: IntMatrix,
    out_scores: FloatMatrix,
    out_counts: IntMatrix,
) -> None:
    """Find the best neighbours of the items `first` .. `first + len(out_rows)`.

    Args:
        first: vocabulary row.
        session_offsets: (s + 1,) int64.
        session_items: (m,) int32 vocabulary rows by session.
        session_weights: (m,) float32 weights of the events; empty where all weigh the same.
        item_offsets: (v + 1,) int64.
        item_sessions: (p,) int32 sessions by item, each once.
        damping: (v,) float64, factor of each neighbour's sum.
        by_distance: whether nearer items weigh more.
        least: sessions that must hold both.
        out_rows: (r, k) int32, -1 everywhere; filled from the front, best first.
        out_scores: (r, k) float32.
        out_counts: (r, k) int32.

    Cost: the summed length of the sessions of all r items, and a sort of their neighbours.
    """
    v = damping.shape[0]
    counts = np.zeros(v, dtype=np.int32)
    weights = np.zeros(v, dtype=np.float64)
    sums = (counts, weights, np.full(v, -1, dtype=np.int64), np.empty(v, dtype=np.float64))
    found = np.empty(v, dtype=np.int32)
    stamp = 0
    for line in range(out_rows.shape[0]):
        item = first + line
        size = 0
        for session in item_sessions[item_offsets[item] : item_offsets[item + 1]]:
            begin, end = session_offsets[session], session_offsets[session + 1]
            items, heaviness = session_items[begin:end], session_weights[begin:end]
            size = _add_session(items, heaviness, item, by_distance, stamp, sums, found, size)
            stamp += 1
        _keep_best(
            found[:size],
            counts,
            weights,
            damping,
            least,
            out_rows[line],
            out_scores[line],
            out_counts[line],
        )
        for other in found[:size]:
            counts[other] = 0
            weights[other] = 0.0
