"""Loops over candidates.

All sums run in float64 and in order, so that the bytes of a row depend on no other row.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from retrieval.ranking.list_kernels import place_in


@njit(nogil=True, cache=True)
def weighted_mean(
    table_rows: IntVector,
    vectors: FloatMatrix,
    rows: IntVector,
    weights: NDArray[np.float64],
    unit: bool,
) -> FloatVector:
    """Return the weighted mean of the vectors of rows.

    Args:
        table_rows: (t,) int32, ascending, the row of each vector.
        vectors: (t, d) float32.
        rows: (m,) int32; those without a vector are passed over.
        weights: (m,) float64, > 0.
        unit: let every vector count by its direction alone.

    Returns:
        (d,) float32; NaN where no row has a vector.
    """
    dim = vectors.shape[1]
    sums = np.zeros(dim, dtype=np.float64)
    total = 0.0
    for i in range(rows.shape[0]):
        position = place_in(table_rows, rows[i])
        if position < 0:
            continue
        scale = weights[i]
        total += weights[i]
        if unit:
            length = 0.0
            for j in range(dim):
                length += float(vectors[position, j]) * float(vectors[position, j])
            if length > 0:
                scale /= math.sqrt(length)
        for j in range(dim):
            sums[j] += scale * vectors[position, j]
    mean = np.empty(dim, dtype=np.float32)
    for j in range(dim):
        mean[j] = sums[j] / total if total > 0 else np.nan
    return mean


@njit(nogil=True, cache=True)
def similarities(
    table_rows: IntVector,
    targets: FloatMatrix,
    rows: IntVector,
    queries: FloatMatrix,
    out: FloatMatrix,
) -> None:
    """Compare the vectors of rows with four queries.

    Args:
        table_rows: (t,) int32, ascending, the row of each vector.
        targets: (t, d) float32.
        rows: (n,) int32.
        queries: (4, d) float32.
        out: (n, 8) the four cosines, then the four inner products; NaN where a row or a query has
            no vector. A vector of zeros has cosine 0 with everything.

    Cost: O(n (d + log t)).
    """
    dim = targets.shape[1]
    lengths = np.zeros(4, dtype=np.float64)
    for q in range(4):
        for j in range(dim):
            lengths[q] += float(queries[q, j]) * float(queries[q, j])
    for i in range(rows.shape[0]):
        position = place_in(table_rows, rows[i])
        if position < 0:
            out[i, :] = np.nan
            continue
        length = first = second = third = fourth = 0.0
        for j in range(dim):
            value = float(targets[position, j])
            length += value * value
            first += value * float(queries[0, j])
            second += value * float(queries[1, j])
            third += value * float(queries[2, j])
            fourth += value * float(queries[3, j])
        products = (first, second, third, fourth)
        for q in range(4):
            both = math.sqrt(length * lengths[q])
            # `both` is NaN where the query has no vector, and so is the product.
            out[i, q] = 0.0 if both == 0 else products[q] / both
            out[i, 4 + q] = products[q]


@njit(nogil=True, cache=True)
def inner_products(
    table_rows: IntVector,
    targets: FloatMatrix,
    rows: IntVector,
    query: FloatVector,
    out: FloatVector,
) -> None:
    """Write the inner product of a query with the vector of each row, NaN for rows without one.

    Args:
        table_rows: (t,) int32, ascending.
        targets: (t, d) float32.
        rows: (n,) int32.
        query: (d,) float32.
        out: (n,).
    """
    for i in range(rows.shape[0]):
        position = place_in(table_rows, rows[i])
        total = 0.0 if position >= 0 else np.nan
        if position >= 0:
            for j in range(targets.shape[1]):
                total += float(targets[position, j]) * float(query[j])
        out[i] = total


@njit(nogil=True, cache=True)
def list_places(
    offsets: NDArray[np.int64], list_rows: IntVector, list_scores: FloatVector, rows: IntVector
) -> Any:
    """Find rows in lists.

    Args:
        offsets: (s + 1,) int64; list i is `offsets[i]:offsets[i + 1]`.
        list_rows: (m,) int32, distinct within a list, best first.
        list_scores: (m,) float32.
        rows: (n,) int32, in any order, repeats allowed.

    Returns:
        (ranks, scores): (n, s) int16, from 1, 0 where a list does not hold the row; (n, s) float32,
        NaN there.

    Cost: O(m log n).
    """
    n, lists = rows.shape[0], offsets.shape[0] - 1
    ranks = np.zeros((n, lists), dtype=np.int16)
    scores = np.full((n, lists), np.nan, dtype=np.float32)
    order = np.argsort(rows, kind="mergesort")
    ascending = rows[order]
    for s in range(lists):
        for at in range(offsets[s], offsets[s + 1]):
            place = int(np.searchsorted(ascending, list_rows[at]))
            while place < n and ascending[place] == list_rows[at]:
                ranks[order[place], s] = at - offsets[s] + 1
                scores[order[place], s] = list_scores[at]
                place += 1
    return ranks, scores


@njit(nogil=True, cache=True)
def covisit_counts(
    offsets: NDArray[np.int64],
    values: IntVector,
    counts: IntVector,
    recent: IntVector,
    rows: IntVector,
) -> Any:
    """Count the sessions that rows share with visited items.

    Args:
        offsets: (v + 1,) int64, the list of each row.
        values: rows, list after list.
        counts: sessions that hold both.
        recent: (m,) int32 visited rows, most recent first.
        rows: (n,) int32.

    Returns:
        (n, 4) float64: the count with the most recent visit, with the one before it, with all of
        them, and how many of their lists hold the row.

    Cost: O(e log n) for e entries of the lists.
    """
    n = rows.shape[0]
    found = np.zeros((n, 4), dtype=np.float64)
    order = np.argsort(rows, kind="mergesort")
    ascending = rows[order]
    for i in range(recent.shape[0]):
        for at in range(offsets[recent[i]], offsets[recent[i] + 1]):
            place = int(np.searchsorted(ascending, values[at]))
            while place < n and ascending[place] == values[at]:
                candidate = order[place]
                if i < 2:
                    found[candidate, i] = counts[at]
                found[candidate, 2] += counts[at]
                found[candidate, 3] += 1
                place += 1
    return found


@njit(nogil=True, cache=True)
def shared_levels(levels: IntMatrix, one: int, other: int) -> int:
    """Return how many levels two category paths have in common from the top.

    Args:
        levels: (u, l) int32 code of each path down to each level, -1 below its end.
        one: a path.
        other: another.
    """
    shared = 0
    while (
        shared < levels.shape[1]
        and levels[one, shared] >= 0
        and levels[one, shared] == levels[other, shared]
    ):
        shared += 1
    return shared


@njit(nogil=True, cache=True)
def category_distances(
    path_codes: IntVector, levels: IntMatrix, visited: IntVector, rows: IntVector, out: FloatMatrix
) -> None:
    """Compare the category paths of rows with those of visited items.

    Args:
        path_codes: (v,) int32 path of each row, -1 where unknown.
        levels: as for `shared_levels`.
        visited: (m,) int32, most recent first.
        rows: (n,) int32.
        out: (n, 3) levels shared with the last visit, their mean over all visits, and the share of
            visits with the very same path; visits without a path are passed over, NaN where nothing
            is left to compare.

    Cost: O(n m).
    """
    for i in range(rows.shape[0]):
        out[i, :] = np.nan
        own = path_codes[rows[i]]
        if own < 0:
            continue
        known = same = shared = 0
        for j in range(visited.shape[0]):
            path = path_codes[visited[j]]
            if path < 0:
                continue
            depth = shared_levels(levels, own, path)
            if j == 0:
                out[i, 0] = depth
            known += 1
            shared += depth
            same += int(path == own)
        if known:
            out[i, 1] = shared / known
            out[i, 2] = same / known


@njit(nogil=True, cache=True)
def equal_shares(codes: IntVector, visited: IntVector, rows: IntVector, out: FloatMatrix) -> None:
    """Tell which rows have the code of visited items.

    Args:
        codes: (v,) int32 code of each row, -1 where unknown.
        visited: (m,) int32, most recent first.
        rows: (n,) int32.
        out: (n, 2) whether it is that of the last visit, and the share of visits that have it;
            unknown ones are passed over, NaN where nothing is left to compare.
    """
    for i in range(rows.shape[0]):
        out[i, :] = np.nan
        own = codes[rows[i]]
        if own < 0:
            continue
        known = same = 0
        for j in range(visited.shape[0]):
            code = codes[visited[j]]
            if code < 0:
                continue
            if j == 0:
                out[i, 0] = 1.0 if code == own else 0.0
            known += 1
            same += int(code == own)
        if known:
            out[i, 1] = same / known


@njit(nogil=True, cache=True)
def price_ratios(
    prices: FloatVector, visited: IntVector, rows: IntVector, out: FloatMatrix
) -> None:
    """Compare the prices of rows with those of visited items.

    Args:
        prices: (v,) float32, NaN or not above 0 where unknown.
        visited: (m,) int32, most recent first.
        rows: (n,) int32.
        out: (n, 3) logarithms of the price, of its ratio to that of the last visit, and of its ratio
            to the mean of all visits; NaN where unknown.
    """
    last = total = 0.0
    known = 0
    for j in range(visited.shape[0]):
        price = float(prices[visited[j]])
        if price > 0:
            last = price if j == 0 else last
            total += price
            known += 1
    for i in range(rows.shape[0]):
        out[i, :] = np.nan
        price = float(prices[rows[i]])
        if not price > 0:
            continue
        out[i, 0] = math.log(price)
        if last > 0:
            out[i, 1] = math.log(price / last)
        if known:
            out[i, 2] = math.log(price / (total / known))


@njit(nogil=True, cache=True)
def seen_before(visits: IntVector, rows: IntVector, out: FloatMatrix) -> None:
    """Look for rows among the visits.

    Args:
        visits: (v,) int32, oldest first, repeats kept.
        rows: (n,) int32.
        out: (n, 2) how often each was visited, and visits since the last time: 0 for the last visit,
            NaN for what was not.

    Cost: O(n v).
    """
    length = visits.shape[0]
    for i in range(rows.shape[0]):
        count, age = 0, np.nan
        for at in range(length):
            if visits[at] == rows[i]:
                count += 1
                age = float(length - 1 - at)
        out[i, 0] = count
        out[i, 1] = age


@njit(nogil=True, cache=True)
def share_of_history(
    codes: IntVector,
    history: IntVector,
    weights: FloatVector,
    rows: IntVector,
    out: FloatVector,
) -> None:
    """Write which share of what a shopper took has the code of each row.

    Args:
        codes: (v,) int32 code of each row, -1 where unknown.
        history: (h,) int32 rows taken.
        weights: (h,) float32 weight of each, > 0.
        rows: (n,) int32.
        out: (n,) in [0, 1]; NaN where the row has no code or nothing was taken.

    Cost: O((n + h) log n).
    """
    own = codes[rows]
    order = np.argsort(own, kind="mergesort")
    ascending = own[order]
    sums = np.zeros(rows.shape[0], dtype=np.float64)  # of the first of equal codes
    total = 0.0
    for at in range(history.shape[0]):
        total += weights[at]
        place = int(np.searchsorted(ascending, codes[history[at]]))
        if place < ascending.shape[0] and ascending[place] == codes[history[at]]:
            sums[place] += weights[at]
    first = 0
    for at in range(order.shape[0]):
        if ascending[at] != ascending[first]:
            first = at
        known = ascending[at] >= 0 and total > 0
        out[order[at]] = sums[first] / total if known else np.nan


@njit(nogil=True, cache=True)
def taken_before(
    history: IntVector, weights: FloatVector, rows: IntVector, out: FloatVector
) -> None:
    """Write the weight with which a shopper took each row, 0 for what was not taken.

    Args:
        history: (h,) int32 rows taken, ascending.
        weights: (h,) float32.
        rows: (n,) int32.
        out: (n,).
    """
    for i in range(rows.shape[0]):
        place = place_in(history, rows[i])
        out[i] = weights[place] if place >= 0 else 0.0
