"""What stays of a list when nothing in it may be too close or too far.

Likeness is the cosine of input vectors, whatever the list was scored by. It is computed from the
vectors as they lie, with one reciprocal length each, so that no copy of unit vectors is needed.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from indexer.rescoring_kernels import dot

TO_SOURCE, BETWEEN, TOO_FAR, KEPT = 0, 1, 2, 3
"""Columns of `limits` and `removed`: likeness to the source, to better items, least likeness; and
what becomes of an item that none of them removes."""

ROUNDING = np.float32(2e-6)
"""The likeness of copies is computed to be 1 but for less than this."""


@njit(nogil=True, cache=True)
def _likeness(
    one: FloatVector, scale: np.float32, other: FloatVector, other_scale: np.float32
) -> Any:
    return min(dot(one, other) * scale * other_scale, np.float32(1))


@njit(nogil=True, cache=True)
def _reaches(likeness: np.float32, most: np.float32) -> Any:
    """Tell whether something is at least as close as a maximum, which is what removes it."""
    return likeness >= most - ROUNDING


@njit(nogil=True, cache=True)
def _is_near_any(  # noqa: PLR0913 - kernels take arrays, not objects
    vectors: FloatMatrix,
    scales: FloatVector,
    position: int,
    better: IntVector,
    columns: IntVector,
    most: np.float32,
) -> Any:
    """Tell whether an item is at least as near as `most` to one of `better[columns]`."""
    for column in columns:
        other = better[column]
        likeness = _likeness(vectors[other], scales[other], vectors[position], scales[position])
        if _reaches(likeness, most):
            return True
    return False


@njit(nogil=True, cache=True)
def keep_apart(  # noqa: PLR0913 - kernels take arrays, not objects
    vectors: FloatMatrix,
    scales: FloatVector,
    sources: FloatMatrix,
    source_scales: FloatVector,
    own: IntVector,
    found: IntMatrix,
    limits: FloatMatrix,
    kept: IntMatrix,
    removed: IntMatrix,
) -> None:
    """Walk each list from its best item on and keep what is neither too close nor too far.

    The walk is greedy: an item is held against the better ones that were kept, not against those
    that were removed. It ends when k items are kept.

    Args:
        vectors: (n, d) float32 input vectors.
        scales: (n,) float32 reciprocals of their lengths, 0 for zero vectors.
        sources: (q, d) float32 input vectors of the sources.
        source_scales: (q,) float32 reciprocals of their lengths.
        own: (q,) int32 position of the source among the vectors, left out; -1 if it is not there.
        found: (q, m) int32 positions, best first; negative ones are passed over.
        limits: (q, 3) float32: items at least as like the source as the first, at least as like a
            better item as the second, or less like the source than the third are removed; a limit
            beyond [-1, 1] is not looked at.
        kept: (q, k) int32, overwritten: columns of `found`, ascending; -1 where they ran out.
        removed: (q, 3) int32, overwritten: items removed for each reason.

    Cost: O(q m (1 + k) d) at worst, O(q k d) with limits to the source alone.
    """
    k = kept.shape[1]
    for i in range(found.shape[0]):
        most, between, least = limits[i, TO_SOURCE], limits[i, BETWEEN], limits[i, TOO_FAR]
        size = 0
        removed[i, :] = 0
        for column in range(found.shape[1]):
            position = found[i, column]
            if position < 0 or position == own[i]:
                continue
            likeness = _likeness(sources[i], source_scales[i], vectors[position], scales[position])
            if _reaches(likeness, most):
                removed[i, TO_SOURCE] += 1
            elif likeness < least:
                removed[i, TOO_FAR] += 1
            elif between <= 1 and _is_near_any(
                vectors, scales, position, found[i], kept[i, :size], between
            ):
                removed[i, BETWEEN] += 1
            else:
                kept[i, size] = column
                size += 1
                if size == k:
                    break
        kept[i, size:] = -1


@njit(nogil=True, cache=True)
def judge_further(  # noqa: PLR0913 - kernels take arrays, not objects
    vectors: FloatMatrix,
    scales: FloatVector,
    held: int,
    limits: FloatVector,
    wanted: int,
    reasons: NDArray[np.int8],
) -> None:
    """Walk further hits of one list that holds some items already; see `keep_apart`.

    Args:
        vectors: (1 + held + m, d) float32 input vectors: of the source, of the items that the list
            holds, and of the hits, best first.
        scales: (1 + held + m,) float32 reciprocals of their lengths, 0 for zero vectors.
        held: items that the list holds.
        limits: (3,) float32, as `keep_apart` takes them.
        wanted: the walk ends when so many more are kept.
        reasons: (m,) int8, overwritten: which limit removes a hit, or `KEPT`; hits behind the end
            of the walk are `KEPT`, too.

    Cost: O(m (1 + held + wanted) d) at worst, O(m d) with limits to the source alone.
    """
    lines = np.arange(vectors.shape[0], dtype=np.int32)
    kept = np.empty(held + wanted, dtype=np.int32)
    kept[:held] = lines[1 : 1 + held]
    size = held
    reasons[:] = KEPT
    for hit in range(reasons.shape[0]):
        if size == held + wanted:
            break
        line = 1 + held + hit
        likeness = _likeness(vectors[0], scales[0], vectors[line], scales[line])
        if _reaches(likeness, limits[TO_SOURCE]):
            reasons[hit] = TO_SOURCE
        elif likeness < limits[TOO_FAR]:
            reasons[hit] = TOO_FAR
        elif limits[BETWEEN] <= 1 and _is_near_any(
            vectors, scales, line, lines, kept[:size], limits[BETWEEN]
        ):
            reasons[hit] = BETWEEN
        else:
            kept[size] = line
            size += 1
