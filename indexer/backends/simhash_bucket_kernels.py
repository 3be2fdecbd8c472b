"""Which buckets of a SimHash index are nearest to a query.

A query is not turned into bits: its distances from the planes are kept, and a bucket is the farther,
the more planes part it from the query and the farther from them the query lies (Lv et al. 2007,
section 4.4, order buckets by the squares of these distances; the plain sum finds more).
"""

from typing import Any

import numpy as np
from numba import njit

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from indexer.backends.simhash_scratch import LOW_BITS, Scratch
from indexer.backends.simhash_tables import ByteArray, SimHashTables
from indexer.rescoring_kernels import dot
from indexer.vector_instructions import (
    BLOCKS_AHEAD,
    RUN,
    at_most,
    prefetch,
    trailing_zeros,
    write_run,
)

SATURATED = 255
SPREAD = 64
"""Parts of the list between which reading goes round."""


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
def bucket_limit(near: ByteArray, far: ByteArray, wanted: int, counts: IntMatrix) -> Any:
    """Return the smallest penalty that `wanted` of the buckets do not exceed, at most 254.

    A bucket's penalty is one of `near` plus one of `far`, so counting both apart counts all pairs.

    Args:
        near: (2^i,) uint8.
        far: (2^j,) uint8.
        wanted: how many buckets shall stay within the limit.
        counts: (2, 256) int32, overwritten.

    Cost: O(2^i + 2^j), whatever the number of buckets.
    """
    counts[:] = 0
    for penalty in near:
        counts[0, penalty] += 1
    for penalty in far:
        counts[1, penalty] += 1
    for penalty in range(1, SATURATED + 1):
        counts[0, penalty] += counts[0, penalty - 1]
    low, high = 0, SATURATED - 1
    while low < high:
        middle = (low + high) // 2
        within = 0
        for penalty in range(middle + 1):
            within += int(counts[1, penalty]) * int(counts[0, middle - penalty])
        if within >= wanted:
            high = middle
        else:
            low = middle + 1
    return low


@njit(nogil=True, cache=True)
def list_buckets(
    near: ByteArray, far: ByteArray, limit: int, offsets: IntVector, buckets: IntVector
) -> int:
    """Write the numbers of the buckets within `limit`, ascending; return how many there are.

    Args:
        near: (256,) uint8 penalties of the low bits of a bucket's number, 255 where there is none.
        far: (2^(b - 8),) uint8 penalties of the others.
        limit: largest penalty of a bucket that is read, <= 254.
        offsets: (2^b + 1,) int32, asked for where the next step reads it.
        buckets: (2^b or more,) int32, overwritten.
    """
    count = 0
    for high in range(far.shape[0]):
        rest = limit - int(far[high])
        if rest < 0:
            continue
        for part in range(0, near.shape[0], 64):
            found = at_most(near, part, rest)
            while found:
                buckets[count] = (high << LOW_BITS) + part + trailing_zeros(found)
                found &= found - np.uint64(1)
                prefetch(offsets, buckets[count], 1)
                count += 1
    return count


@njit(nogil=True, cache=True)
def list_blocks(
    offsets: IntVector, buckets: IntVector, listed: int, blocks: IntVector, count: int
) -> int:
    """Append the blocks of the `listed` buckets to `count` blocks; return how many there are then.

    Args:
        offsets: (2^b + 1,) int32: blocks of bucket i are offsets[i] .. offsets[i + 1] - 1.
        buckets: (listed or more,) int32.
        listed: how many buckets there are.
        blocks: (as many as there may be + 16,) int32, written from `count` on.
        count: blocks listed before.
    """
    for bucket in buckets[:listed]:
        start = int(offsets[bucket])
        size = int(offsets[bucket + 1]) - start
        # Written before it is known how many there are: no branch to mispredict.
        write_run(blocks, count, start)
        for i in range(RUN, size):
            blocks[count + i] = start + i
        count += size
    return count


@njit(nogil=True, cache=True)
def spread(blocks: IntVector, count: int, out: IntVector) -> None:
    """Write `count` blocks in an order in which no two neighbours follow each other.

    Blocks of a bucket lie together; read one after the other from memory, they make the processor
    fetch what lies behind the bucket as well, which takes as long as the bucket itself.

    Args:
        blocks: (count or more,) int32.
        count: how many there are.
        out: (count or more,) int32, overwritten.
    """
    columns = (count + SPREAD - 1) // SPREAD
    place = 0
    for column in range(columns):
        for i in range(column, count, columns):
            out[place] = blocks[i]
            place += 1


@njit(nogil=True, cache=True)
def choose_blocks(tables: SimHashTables, scratch: Scratch, wanted: int) -> int:
    """List the blocks of the `wanted` buckets next to the query in each table, ascending."""
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
        offsets = tables.offsets[table]
        listed = list_buckets(scratch.near, scratch.far, limit, offsets, scratch.buckets)
        count = list_blocks(offsets, scratch.buckets, listed, scratch.blocks, count)
    scratch.blocks[count : count + BLOCKS_AHEAD] = 0
    return count
