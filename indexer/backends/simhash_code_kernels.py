"""Which codes of the chosen buckets of a SimHash index are nearest to a query.

The penalty of a code is the sum of the query's distances from the planes that part the two (Dong et
al. 2008, section 4, call such an estimate asymmetric; Gao and Long 2024 show what it is worth). Penalties
are summed four planes at a time by look-ups of bytes, as FAISS does for product quantisers (Andre et al.
2015, section 4).
"""

import numpy as np
from numba import njit

from artifacts.arrays import FloatVector, IntVector
from indexer.backends.simhash_bucket_kernels import SATURATED
from indexer.backends.simhash_scratch import Scratch
from indexer.backends.simhash_tables import ByteArray, SimHashTables
from indexer.vector_instructions import (
    BLOCK_ROWS,
    at_most,
    population_count,
    prefetch,
    trailing_zeros,
)

SAMPLE_CHUNKS = 256
"""Penalties are counted in about so many pieces of 64 to find the limit for all."""
FEW = 1 / 16
"""Share of the penalties up to which the worst half of them may be told apart no more."""
ROUGH_LINES = 3
"""Cache lines of a rough vector that are asked for: all of it up to 128 dimensions."""


@njit(nogil=True, cache=True)
def fill_tables(marks: FloatVector, share: float, tables: ByteArray) -> None:
    """Write the penalties of all nibbles, in units that make the most of a byte.

    A penalty of a random code has mean s / 2, where s is the sum of the distances, and standard
    deviation l / 2, where l is the root of the sum of their squares. Where few codes are wanted,
    255 stands at (s - l / 2) / 2 and finer differences of the far ones are lost; else at s.

    Args:
        marks: (bits,) float32 signed distances from the planes.
        share: of the codes that are wanted.
        tables: (bits / 128, 8, 4, 16) uint8 as `score_blocks` takes them, overwritten.
    """
    total, squares = np.float32(0), np.float32(0)
    for mark in marks:
        total += abs(mark)
        squares += mark * mark
    span = (total - np.sqrt(squares) / 2) / 2 if share <= FEW else total
    unit = np.float32(254) / span if span > 0 else np.float32(0)
    plane = 0
    for chunk in range(tables.shape[0]):
        for byte in range(16):
            for half in range(2):
                table = tables[chunk, byte // 4 * 2 + half, byte % 4]
                for value in range(16):
                    penalty = np.float32(0)
                    for bit in range(4):
                        mark = marks[plane + bit]
                        if (mark > 0) != (value >> bit & 1):
                            penalty += abs(mark)
                    table[value] = min(np.float32(SATURATED), np.rint(penalty * unit))
                plane += 4


@njit(nogil=True, cache=True)
def penalty_limit(penalties: ByteArray, size: int, wanted: int) -> int:
    """Return the smallest limit that about `wanted` of `size` penalties do not exceed.

    Counts a sample spread evenly over them, 64 at a time: no sort, no heap.

    Args:
        penalties: (size or more,) uint8; from `size` to the next multiple of 64 they are 255.
        size: how many count.
        wanted: how many shall stay within the limit.
    """
    chunks = (size + 63) // 64
    stride = max(chunks // SAMPLE_CHUNKS, 1)
    share = wanted * ((chunks + stride - 1) // stride) / chunks
    low, high = 0, SATURATED
    while low < high:
        middle = (low + high) // 2
        count = 0
        for chunk in range(0, chunks, stride):
            count += population_count(at_most(penalties, chunk * 64, middle))
        if count >= share:
            high = middle
        else:
            low = middle + 1
    return low


@njit(nogil=True, cache=True)
def collect(
    penalties: ByteArray, size: int, limit: int, tables: SimHashTables, scratch: Scratch
) -> int:
    """Write the rows whose penalty is within `limit` into `scratch.rows`; return how many.

    In two passes, each asking for the memory that the next step reads: first the places, then
    the rows that stand there.
    """
    starts, places = scratch.seen, scratch.rows
    pieces = 0
    for start in range(0, size, 64):
        # Most pieces hold nothing, and a branch on which do would be mispredicted.
        starts[pieces] = start
        pieces += at_most(penalties, start, limit) != 0
    count = 0
    for start in starts[:pieces]:
        found = at_most(penalties, start, limit)
        while found:
            place = start + trailing_zeros(found)
            found &= found - np.uint64(1)
            block = scratch.blocks[place // BLOCK_ROWS]
            places[count] = block * BLOCK_ROWS + place % BLOCK_ROWS
            prefetch(tables.order, places[count], 1)
            count += place < size
    kept = 0
    for i in range(count):
        row = tables.order[places[i]]
        prefetch(tables.rough, max(row, 0), ROUGH_LINES)
        scratch.rows[kept] = row
        kept += row >= 0
    return kept


@njit(nogil=True, cache=True)
def drop_repeated(rows: IntVector, count: int, seen: IntVector) -> int:
    """Keep the first of equal rows among `count`, in order; return how many are left.

    Args:
        rows: (count or more,) int32, none negative; changed in place.
        count: how many there are.
        seen: (2^s,) int32 hash set by open addressing, 2^s >= 2 count; overwritten.
    """
    size = 64
    while size < 2 * count:
        size *= 2
    seen[:size] = -1
    kept = 0
    for i in range(count):
        row = rows[i]
        # Knuth's multiplicative hash; the product's upper bits are the mixed ones.
        place = (row * 2654435761 >> 8) & (size - 1)
        while seen[place] >= 0 and seen[place] != row:
            place = (place + 1) & (size - 1)
        rows[kept] = row
        kept += seen[place] < 0
        seen[place] = row
    return kept
