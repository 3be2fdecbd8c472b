"""Exact scores of candidates, best first: the last step of every backend.

All backends score through `dot` as it is compiled here, so that one pair of vectors has one score
whichever backend found it. Reassociation lets LLVM use vector registers; NaN and infinity keep
their meaning.
"""

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from indexer.vector_instructions import prefetch

AHEAD = 5
"""Candidates by which memory is asked ahead of use: they lie anywhere among the vectors."""
LINES = 7
"""Cache lines that are asked for, those of 100 dimensions; the processor goes on by itself."""

LongMatrix: TypeAlias = NDArray[np.int64]


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def dot(left: FloatVector, right: FloatVector) -> np.float32:
    """Return the inner product of two (d,) float32 vectors, summed in float32."""
    total = np.float32(0)
    for i in range(left.shape[0]):
        total += left[i] * right[i]
    return total


@njit(nogil=True, cache=True)
def _sift_down(rows: IntVector, scores: FloatVector, size: int) -> None:
    """Restore the heap whose root is the worst entry: lowest score, then highest row."""
    row, score, hole = rows[0], scores[0], 0
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            scores[other] < scores[child]
            or (scores[other] == scores[child] and rows[other] > rows[child])
        ):
            child = other
        if not (scores[child] < score or (scores[child] == score and rows[child] > row)):
            break
        rows[hole], scores[hole] = rows[child], scores[child]
        hole = child
    rows[hole], scores[hole] = row, score


@njit(nogil=True, cache=True)
def _sift_up(rows: IntVector, scores: FloatVector, last: int) -> None:
    """Move the entry at `last` up until no parent is better than its child."""
    row, score, hole = rows[last], scores[last], last
    while hole > 0:
        parent = (hole - 1) // 2
        if not (score < scores[parent] or (score == scores[parent] and row > rows[parent])):
            break
        rows[hole], scores[hole] = rows[parent], scores[parent]
        hole = parent
    rows[hole], scores[hole] = row, score


@njit(nogil=True, cache=True)
def rank(  # noqa: PLR0913 - kernels take arrays, not objects
    vectors: FloatMatrix,
    query: FloatVector,
    candidates: IntVector,
    ceiling: float,
    out_rows: IntVector,
    out_scores: FloatVector,
) -> None:
    """Score candidates and write the best into `out_rows` and `out_scores`, best first.

    Args:
        vectors: (n, d) float32.
        query: (d,) float32.
        candidates: (m,) int32 or int64, distinct; negative ones are skipped.
        ceiling: scores above it are rounding errors and are set to it.
        out_rows: (k,) int32, overwritten; -1 where candidates ran out.
        out_scores: (k,) float32, overwritten; -inf where candidates ran out.

    Cost: O(m d + m log k).
    """
    k = out_rows.shape[0]
    out_rows[:] = -1
    out_scores[:] = -np.inf
    size, last_place = 0, candidates.shape[0] - 1
    for place in range(candidates.shape[0]):
        row = candidates[place]
        prefetch(vectors, max(candidates[min(place + AHEAD, last_place)], 0), LINES)
        if row < 0:
            continue
        score = min(dot(vectors[row], query), np.float32(ceiling))
        if size < k:
            out_rows[size], out_scores[size] = row, score
            _sift_up(out_rows, out_scores, size)
            size += 1
        elif score > out_scores[0] or (score == out_scores[0] and row < out_rows[0]):
            out_rows[0], out_scores[0] = row, score
            _sift_down(out_rows, out_scores, k)
    # The root is the worst, so taking it off again and again fills the answer from its end.
    for last in range(size - 1, 0, -1):
        out_rows[0], out_rows[last] = out_rows[last], out_rows[0]
        out_scores[0], out_scores[last] = out_scores[last], out_scores[0]
        _sift_down(out_rows, out_scores, last)


@njit(nogil=True, cache=True)
def rank_each(  # noqa: PLR0913 - kernels take arrays, not objects
    vectors: FloatMatrix,
    queries: FloatMatrix,
    candidates: IntMatrix,
    ceiling: float,
    out_rows: IntMatrix,
    out_scores: FloatMatrix,
) -> None:
    """Call `rank` for each of q queries with its own row of (q, m) candidates."""
    for i in range(queries.shape[0]):
        rank(vectors, queries[i], candidates[i], ceiling, out_rows[i], out_scores[i])


@njit(nogil=True, cache=True)
def rank_found(  # noqa: PLR0913 - kernels take arrays, not objects
    vectors: FloatMatrix,
    queries: FloatMatrix,
    found: LongMatrix,
    ceiling: float,
    out_rows: IntMatrix,
    out_scores: FloatMatrix,
) -> None:
    """Do what `rank_each` does for what FAISS found.

    Where it found nothing the first m rows are ranked in its stead: fast scan finds nothing for a zero
    query, with which all rows have score 0.

    Args:
        vectors: (n, d) float32, n >= m.
        queries: (q, d) float32.
        found: (q, m) int64; negative ones are padding.
        ceiling: as in `rank`.
        out_rows: (q, k) int32, as in `rank`.
        out_scores: (q, k) float32, as in `rank`.
    """
    for i in range(queries.shape[0]):
        if found[i, 0] < 0:
            for place in range(found.shape[1]):
                found[i, place] = place
        rank(vectors, queries[i], found[i], ceiling, out_rows[i], out_scores[i])


@njit(nogil=True, cache=True)
def rank_all(
    vectors: FloatMatrix,
    queries: FloatMatrix,
    ceiling: float,
    out_rows: IntMatrix,
    out_scores: FloatMatrix,
) -> None:
    """Call `rank` for each of q queries with all n vectors as candidates."""
    everything = np.arange(vectors.shape[0]).astype(np.int32)
    for i in range(queries.shape[0]):
        rank(vectors, queries[i], everything, ceiling, out_rows[i], out_scores[i])


@njit(nogil=True, cache=True)
def kth_largest(values: FloatVector, k: int) -> Any:
    """Return the k-th largest of n float32 values, -inf if k >= n. Cost: O(n + k log n log k) expected."""
    if k >= values.shape[0]:
        return np.float32(-np.inf)
    scores = np.full(k, -np.inf, dtype=np.float32)
    ignored = np.zeros(k, dtype=np.int32)
    for value in values:
        if value > scores[0]:
            scores[0] = value
            _sift_down(ignored, scores, k)
    return scores[0]


@njit(nogil=True, cache=True)
def rank_above(  # noqa: PLR0913 - kernels take arrays, not objects
    vectors: FloatMatrix,
    queries: FloatMatrix,
    estimates: FloatMatrix,
    tolerances: NDArray[Any],
    ceiling: float,
    out_rows: IntMatrix,
    out_scores: FloatMatrix,
) -> None:
    """Rank the vectors whose estimate may belong to the k best.

    Args:
        vectors: (n, d) float32.
        queries: (q, d) float32.
        estimates: (q, n) float32 scores, rounded in another order than `dot` rounds.
        tolerances: (q,) float32 bounds on the difference of two estimates of one score.
        ceiling: as in `rank`.
        out_rows: (q, k) int32, as in `rank`.
        out_scores: (q, k) float32, as in `rank`.
    """
    chosen = np.empty(vectors.shape[0], dtype=np.int32)
    for i in range(queries.shape[0]):
        bound = kth_largest(estimates[i], out_rows.shape[1]) - tolerances[i]
        count = 0
        for row in range(vectors.shape[0]):
            if estimates[i, row] >= bound:
                chosen[count] = row
                count += 1
        rank(vectors, queries[i], chosen[:count], ceiling, out_rows[i], out_scores[i])
