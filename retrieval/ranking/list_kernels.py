"""Adding up the lists of visited items."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector


@njit(nogil=True, cache=True)
def place_in(ascending: IntVector, row: int) -> int:
    """Return the place of `row` among rows that ascend, -1 if it is not one of them."""
    at = int(np.searchsorted(ascending, row))
    return at if at < ascending.shape[0] and ascending[at] == row else -1


@njit(nogil=True, cache=True)
def best_sums(rows: IntVector, scores: NDArray[np.float64], barred: IntVector, n: int) -> Any:
    """Add up the scores of each row and return the best rows.

    Args:
        rows: (m,) int32, repeats allowed.
        scores: (m,) float64; those of one row are added in their order.
        barred: (w,) int32, ascending: rows that are left out.
        n: rows wanted.

    Returns:
        (rows, sums): int32 and float32, at most n, best first, ties by ascending row.

    Cost: O(m log m).
    """
    m = rows.shape[0]
    order = np.argsort(rows, kind="mergesort")
    found = np.empty(m, dtype=np.int32)
    sums = np.empty(m, dtype=np.float64)
    size = at = 0
    while at < m:
        row = rows[order[at]]
        total = 0.0
        while at < m and rows[order[at]] == row:
            total += scores[order[at]]
            at += 1
        if place_in(barred, row) < 0:
            found[size], sums[size] = row, total
            size += 1
    best = np.argsort(-sums[:size], kind="mergesort")[:n]
    return found[best], sums[best].astype(np.float32)


@njit(nogil=True, cache=True)
def merge_neighbors(  # noqa: PLR0913 - kernels take arrays, not objects
    positions: IntVector,
    table_rows: IntMatrix,
    table_scores: FloatMatrix,
    recent: IntVector,
    weights: NDArray[np.float64],
    barred: IntVector,
    n: int,
) -> Any:
    """Merge the precomputed lists of visited items.

    What a list does not hold scores no more than its last item. So an item adds, for every list that
    holds it, the weight times what it scores above the end of the list: the order is that of the
    weighted mean of all scores, those that are not known taken to be as high as they can be.

    Args:
        positions: (v,) int32, the list of each row, -1 if it has none.
        table_rows: (l, k) int32, best first, padded by -1.
        table_scores: (l, k) float32.
        recent: (m,) int32 visited rows.
        weights: (m,) float64, > 0.
        barred: ascending: rows that are left out.
        n: rows wanted.

    Returns:
        As `best_sums`.

    Cost: O(m k log(m k)).
    """
    k = table_rows.shape[1]
    rows = np.empty(recent.shape[0] * k, dtype=np.int32)
    scores = np.empty(recent.shape[0] * k, dtype=np.float64)
    size = 0
    for i in range(recent.shape[0]):
        position = positions[recent[i]]
        if position < 0:
            continue
        length = k
        while length > 0 and table_rows[position, length - 1] < 0:
            length -= 1
        for at in range(length):
            above = table_scores[position, at] - table_scores[position, length - 1]
            rows[size] = table_rows[position, at]
            scores[size] = weights[i] * above
            size += 1
    return best_sums(rows[:size], scores[:size], barred, n)


@njit(nogil=True, cache=True)
def merge_ragged(  # noqa: PLR0913 - kernels take arrays, not objects
    offsets: NDArray[np.int64],
    values: IntVector,
    table_scores: FloatVector,
    recent: IntVector,
    weights: NDArray[np.float64],
    barred: IntVector,
    n: int,
) -> Any:
    """Merge lists of different lengths; what a list does not hold scores 0 there.

    Args:
        offsets: (v + 1,) int64, the list of each row.
        values: rows, list after list.
        table_scores: their scores.
        recent: (m,) int32 visited rows.
        weights: (m,) float64, > 0.
        barred: ascending: rows that are left out.
        n: rows wanted.

    Returns:
        As `best_sums`.

    Cost: O(e log e) for e entries of the lists.
    """
    entries = 0
    for row in recent:
        entries += offsets[row + 1] - offsets[row]
    rows = np.empty(entries, dtype=np.int32)
    scores = np.empty(entries, dtype=np.float64)
    size = 0
    for i in range(recent.shape[0]):
        for at in range(offsets[recent[i]], offsets[recent[i] + 1]):
            rows[size] = values[at]
            scores[size] = weights[i] * table_scores[at]
            size += 1
    return best_sums(rows, scores, barred, n)


@njit(nogil=True, cache=True)
def first_others(rows: IntVector, barred: IntVector, n: int) -> Any:
    """Return the places of the first n of `rows` that are not in `barred`, which ascends."""
    places = np.empty(min(n, rows.shape[0]), dtype=np.int64)
    size = 0
    for at in range(rows.shape[0]):
        if size == places.shape[0]:
            break
        if place_in(barred, rows[at]) < 0:
            places[size] = at
            size += 1
    return places[:size]
