"""How much two lists of the same items have in common."""

from typing import Any

import numpy as np
from numba import njit

from artifacts.arrays import FloatVector, IntMatrix, IntVector


@njit(nogil=True, cache=True)
def _stands_in(item: np.int32, line: IntVector, depth: int) -> Any:
    for place in range(depth):  # noqa: SIM110 - numba compiles no generators
        if line[place] == item:
            return True
    return False


@njit(nogil=True, cache=True)
def _length(line: IntVector) -> Any:
    size = 0
    while size < line.shape[0] and line[size] != -1:
        size += 1
    return size


@njit(nogil=True, cache=True)
def rank_biased_overlap(one: IntVector, other: IntVector, p: float, common: IntVector) -> Any:
    """Return the extrapolated rank-biased overlap of two lists, in [0, 1].

    Args:
        one: distinct items, best first, without padding; may be empty.
        other: likewise.
        p: persistence in (0, 1): weight of each place beside the one before it.
        common: (>= both lengths) int32 scratch; common[d - 1] becomes the overlap at depth d.

    Cost: O(length^2).   Reference: Webber, Moffat and Zobel 2010, equation 32.
    """
    shorter, longer = min(one.shape[0], other.shape[0]), max(one.shape[0], other.shape[0])
    if shorter == 0:
        return 1.0 if longer == 0 else 0.0
    overlap = 0
    for place in range(longer):
        if place < one.shape[0] and _stands_in(one[place], other, min(place, other.shape[0])):
            overlap += 1
        if place < other.shape[0] and _stands_in(other[place], one, min(place + 1, one.shape[0])):
            overlap += 1
        common[place] = overlap
    total, weight = 0.0, 1.0
    at_shorter = common[shorter - 1]
    for depth in range(1, longer + 1):
        weight *= p
        agreement = common[depth - 1] / depth
        if depth > shorter:  # what the shorter list would hold is taken to agree as before
            agreement += at_shorter * (depth - shorter) / (shorter * depth)
        total += agreement * weight
    tail = (common[longer - 1] - at_shorter) / longer + at_shorter / shorter
    return (1 - p) / p * total + tail * weight


@njit(nogil=True, cache=True)
def compare_lists(
    before: IntMatrix, after: IntMatrix, p: float, jaccard: FloatVector, overlap: FloatVector
) -> None:
    """Compare q lists with q lists, line by line.

    Args:
        before: (q, k) int32 items, distinct in each line; -1 ends a line. Other negative items
            count, and are in no other list.
        after: (q, m) int32, likewise.
        p: persistence of the rank-biased overlap.
        jaccard: (q,) float32, overwritten: items in both lists over items in either, 1 for two
            empty lists.
        overlap: (q,) float32, overwritten: rank-biased overlap, likewise.
    """
    common = np.empty(before.shape[1] + after.shape[1], dtype=np.int32)
    for line in range(before.shape[0]):
        one = before[line, : _length(before[line])]
        other = after[line, : _length(after[line])]
        shared = 0
        for item in one:
            if _stands_in(item, other, other.shape[0]):
                shared += 1
        either = one.shape[0] + other.shape[0] - shared
        jaccard[line] = shared / either if either else 1.0
        overlap[line] = rank_biased_overlap(one, other, p, common)
