"""Search of a SimHash index: which buckets to read, which of their codes are near, what they score.

A query is not turned into bits. Its projections tell how far it lies from each plane, and a code is
the worse the more planes part it from the query and the farther from them the query lies: the
penalty of a code is the sum of these distances (Dong et al. 2008, section 4, call this asymmetric;
RaBitQ, Gao and Long 2024, shows what such an estimate is worth). Penalties are summed four planes at
a time by look-ups of bytes, as FAISS does for product quantisers (Andre et al. 2015).
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from indexer.backends.simhash_tables import ByteArray, RoughMatrix, SimHashTables
from indexer.backends.vector_instructions import (
    BLOCK_ROWS,
    BLOCKS_AHEAD,
    at_most,
    population_count,
    prefetch_row,
    score_blocks,
    trailing_zeros,
)
from indexer.rescoring_kernels import dot, kth_largest, rank

SATURATED = 255
LOW_BITS = 8
"""Bits of a bucket's number that are looked up together, 256 penalties in four registers."""
BLOCKS_AT_ONCE = 8
"""Blocks written in one go: one vector register, and more than most buckets have."""
SAMPLE_CHUNKS = 256
"""Penalties are counted in about so many pieces of 64 to find the limit for all."""
FEW = 1 / 16
"""Share of the penalties up to which the worst half of them may be told apart no more."""
ROUGH_ERRORS = 2.0
"""Steps times length of the query by which two rough scores may differ from exact ones: each has a
standard error of step / sqrt(12) for each unit of the query's length, so this is about five of the
difference's."""


class Scratch(NamedTuple):
    """Memory of one searching thread, so that a query allocates none.

    Attributes:
        query: (d',) float32, the query about the centre.
        marks: (planes,) float32, its projections.
        tables: (bits / 128, 8, 4, 16) uint8, penalties of nibbles.
        sums: (2^b or 256,) float32, as `fill_penalties` takes them.
        near: (256,) uint8, penalties of the low bits of a bucket's number.
        far: (2^(b - 8),) uint8, penalties of its other bits.
        counts: (256,) int32, as `bucket_limit` takes them.
        blocks: (m + 16,) int32, blocks of codes to read.
        penalties: (16 m + 64,) uint8, of their rows.
        rows: (16 m + 1,) int32, candidates.
        estimates: (16 m + 1,) float32, their rough scores.
        seen: (2^s,) int32, a hash set of rows.
    """

    query: FloatVector
    marks: FloatVector
    tables: ByteArray
    sums: FloatVector
    near: ByteArray
    far: ByteArray
    counts: IntVector
    blocks: IntVector
    penalties: ByteArray
    rows: IntVector
    estimates: FloatVector
    seen: IntVector


class Effort(NamedTuple):
    """How much a query may cost: buckets read in each table, and candidates scored."""

    buckets: int
    candidates: int


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
    """Write the rows whose penalty is within `limit` into `scratch.rows`; return how many."""
    count = 0
    for start in range(0, size, 64):
        found = at_most(penalties, start, limit)
        while found:
            place = start + trailing_zeros(found)
            found &= found - np.uint64(1)
            if place < size:
                row = tables.order[
                    scratch.blocks[place // BLOCK_ROWS] * BLOCK_ROWS + place % BLOCK_ROWS
                ]
                prefetch_row(tables.rough, max(row, 0))
                scratch.rows[count] = row
                count += row >= 0
    return count


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


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def rough_dot(rough: Any, query: FloatVector) -> np.float32:
    """Return the inner product of (d,) int8 and (d,) float32, in units of the step."""
    total = np.float32(0)
    for i in range(query.shape[0]):
        total += np.float32(rough[i]) * query[i]
    return total


@njit(nogil=True, cache=True)
def keep_promising(  # noqa: PLR0913 - kernels take arrays, not objects
    rough: RoughMatrix,
    query: FloatVector,
    k: int,
    rows: IntVector,
    count: int,
    estimates: FloatVector,
) -> int:
    """Keep the candidates whose rough score may belong to the k best; return how many.

    Args:
        rough: (n, d) int8 vectors.
        query: (d,) float32.
        k: how many best ones are wanted.
        rows: (count or more,) int32 candidates; changed in place, order kept.
        count: how many there are.
        estimates: (count or more,) float32, overwritten.
    """
    if count <= k:
        return count
    for i in range(count):
        estimates[i] = rough_dot(rough[rows[i]], query)
    margin = np.float32(ROUGH_ERRORS) * np.sqrt(dot(query, query))
    bound = kth_largest(estimates[:count], k) - margin
    kept = 0
    for i in range(count):
        rows[kept] = rows[i]
        kept += estimates[i] >= bound
    return kept


@njit(nogil=True, cache=True)
def find_candidates(
    tables: SimHashTables, query: FloatVector, effort: Effort, scratch: Scratch
) -> int:
    """Write the rows of the codes with the least penalties into `scratch.rows`; return how many."""
    project(query, tables.centre, tables.planes, scratch)
    blocks = choose_blocks(tables, scratch, effort.buckets)
    if blocks == 0:
        return 0
    size = blocks * BLOCK_ROWS
    of_codes = scratch.marks[tables.planes.shape[0] - 128 * tables.codes.shape[0] :]
    fill_tables(of_codes, effort.candidates / size, scratch.tables)
    for chunk in range(tables.codes.shape[0]):
        score_blocks(
            tables.codes[chunk],
            scratch.blocks,
            blocks,
            scratch.tables[chunk],
            chunk == 0,
            scratch.penalties,
        )
    scratch.penalties[size : size + 64] = SATURATED
    limit = SATURATED
    if effort.candidates < size:
        limit = penalty_limit(scratch.penalties, size, effort.candidates)
    count = collect(scratch.penalties, size, limit, tables, scratch)
    if tables.offsets.shape[0] > 1:
        count = drop_repeated(scratch.rows, count, scratch.seen)
    return count


@njit(nogil=True, cache=True)
def search_tables(  # noqa: PLR0913 - kernels take arrays, not objects
    tables: SimHashTables,
    vectors: FloatMatrix,
    queries: FloatMatrix,
    effort: Effort,
    ceiling: float,
    scratch: Scratch,
    out_rows: IntMatrix,
    out_scores: FloatMatrix,
) -> None:
    """Score the candidates of each query exactly and write the best.

    Args:
        tables: the index.
        vectors: (n, d) float32.
        queries: (q, d) float32.
        effort: what a query may cost; with n candidates every vector is scored.
        ceiling: as in `indexer.rescoring_kernels.rank`.
        scratch: memory of this thread.
        out_rows: (q, k) int32, overwritten.
        out_scores: (q, k) float32, overwritten.
    """
    n, k = vectors.shape[0], out_rows.shape[1]
    for i in range(queries.shape[0]):
        count = 0
        if effort.candidates < n:
            count = find_candidates(tables, queries[i], effort, scratch)
        if count < min(k, n):
            # Too little was read for an answer of k; rare enough to read everything.
            count = n
            for row in range(n):
                scratch.rows[row] = row
        else:
            count = keep_promising(
                tables.rough, queries[i], k, scratch.rows, count, scratch.estimates
            )
        rank(vectors, queries[i], scratch.rows[:count], ceiling, out_rows[i], out_scores[i])
