"""Which buckets of a SimHash index are nearest to a query.

A query is not turned into bits: its distances from the planes are kept, and a bucket is the farther,
the more planes part it from the query and the farther from them the query lies (Lv et al. 2007,
section 4.4, order buckets by the squares of these distances; the plain sum finds more).
"""

from typing import Any

import numpy as np
from numba import njit

from artifacts.arrays import FloatMatrix, FloatVector, IntVector
from indexer.backends.simhash_scratch import LOW_BITS, Scratch
from indexer.backends.simhash_tables import ByteArray, SimHashTables
from indexer.backends.vector_instructions import BLOCKS_AHEAD, at_most, trailing_zeros
from indexer.rescoring_kernels import dot

SATURATED = 255
BLOCKS_AT_ONCE = 8
"""Blocks written in one go: one vector register, and more than most buckets have."""


@njit(nogil=True, cache=True)
def project(query: FloatVector, centre: FloatVector, planes: FloatMatrix, scratch: Scratch) -> None:
    """Write how far a query of any length, brought to length 1, lies from each plane.

    Args:
        query: (d,) float32.
        centre: (d',) float32, d' >= d; missing coordinates of the query are zero.
        planes: (p, d') float32.
        scratch: `query` and `marks` are written.
    """
    d = query.shape[0]
    length = np.sqrt(dot(query, query))
    scale = np.float32(1) / length if length > 0 else np.float32(0)
    for i in range(centre.shape[0]):
        scratch.query[i] = (query[i] * scale if i < d else np.float32(0)) - centre[i]
    for i in range(planes.shape[0]):
        scratch.marks[i] = dot(planes[i], scratch.query)


@njit(nogil=True, cache=True)
def fill_penalties(
    marks: FloatVector, unit: float, sums: FloatVector, penalties: ByteArray
) -> None:
    """Write the penalty of each value of some bits, the first of them lowest.

    Args:
        marks: (bits,) float32 signed distances from their planes.
        unit: that penalties are multiplied by; none may then pass 254.
        sums: (2^bits or more,) float32, overwritten.
        penalties: (2^bits or more,) uint8, overwritten; 255 where there is no value.
    """
    # All-zero bits are parted from the query by each plane that it lies before.
    sums[0] = 0
    for mark in marks:
        sums[0] += max(mark, np.float32(0)) * unit
    size = 1
    for mark in marks:
        for value in range(size):
            sums[size + value] = sums[value] - mark * unit
        size *= 2
    for value in range(size):
        penalties[value] = np.rint(max(sums[value], np.float32(0)))
    penalties[size:] = SATURATED


@njit(nogil=True, cache=True)
def bucket_limit(near: ByteArray, far: ByteArray, wanted: int, counts: IntVector) -> Any:
    """Return the smallest penalty that `wanted` of the buckets do not exceed, at most 254.

    A bucket's penalty is one of `near` plus one of `far`.

    Args:
        near: (2^i,) uint8.
        far: (2^j,) uint8.
        wanted: how many buckets shall stay within the limit.
        counts: (256,) int32, overwritten.

    Cost: O(2^i + 2^j), whatever the number of buckets.
    """
    counts[:] = 0
    for penalty in near:
        counts[penalty] += 1
    for penalty in range(1, SATURATED + 1):
        counts[penalty] += counts[penalty - 1]
    low, high = 0, SATURATED - 1
    while low < high:
        middle = (low + high) // 2
        within = 0
        for penalty in far:
            rest = middle - int(penalty)
            within += int(counts[max(rest, 0)]) * (rest >= 0)
        if within >= wanted:
            high = middle
        else:
            low = middle + 1
    return low


@njit(nogil=True, cache=True)
def list_blocks(  # noqa: PLR0913 - kernels take arrays, not objects
    offsets: IntVector,
    near: ByteArray,
    far: ByteArray,
    limit: int,
    blocks: IntVector,
    count: int,
) -> int:
    """Append the blocks that hold buckets within `limit`, ascending; return how many there are.

    Args:
        offsets: (2^b + 1,) int32 of one table.
        near: (256,) uint8 penalties of the low bits of a bucket's number, 255 where there is none.
        far: (2^(b - 8),) uint8 penalties of the others.
        limit: largest penalty of a bucket that is read, <= 254.
        blocks: written from `count` on.
        count: blocks listed before.
    """
    for high in range(far.shape[0]):
        rest = limit - int(far[high])
        if rest < 0:
            continue
        for part in range(0, 256, 64):
            found = at_most(near, part, min(rest, SATURATED - 1))
            while found:
                bucket = (high << LOW_BITS) + part + trailing_zeros(found)
                found &= found - np.uint64(1)
                start = int(offsets[bucket])
                size = int(offsets[bucket + 1]) - start
                # Written before it is known how many there are: no branch to mispredict.
                for i in range(BLOCKS_AT_ONCE):
                    blocks[count + i] = start + i
                for i in range(BLOCKS_AT_ONCE, size):
                    blocks[count + i] = start + i
                count += size
    return count


@njit(nogil=True, cache=True)
def choose_blocks(tables: SimHashTables, scratch: Scratch, wanted: int) -> int:
    """List the blocks of the `wanted` buckets next to the query in each table; return how many."""
    buckets = tables.offsets.shape[1] - 1
    bits = trailing_zeros(np.uint64(buckets))
    low = min(bits, LOW_BITS)
    count = 0
    for table in range(tables.offsets.shape[0]):
        marks = scratch.marks[table * bits : (table + 1) * bits]
        total = np.float32(0)
        for mark in marks:
            total += abs(mark)
        unit = 252.0 / float(total) if total > 0 else 0.0
        fill_penalties(marks[:low], unit, scratch.sums, scratch.near)
        fill_penalties(marks[low:], unit, scratch.sums, scratch.far)
        limit = SATURATED - 1
        if wanted < buckets:
            limit = bucket_limit(scratch.near[: 1 << low], scratch.far, wanted, scratch.counts)
        count = list_blocks(
            tables.offsets[table], scratch.near, scratch.far, limit, scratch.blocks, count
        )
    scratch.blocks[count : count + BLOCKS_AHEAD] = 0
    return count
