"""Search of a SimHash index: buckets, then codes, then rough and exact scores."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from indexer.backends.simhash_bucket_kernels import SATURATED, choose_blocks, project, spread
from indexer.backends.simhash_code_kernels import (
    collect,
    drop_repeated,
    fill_tables,
    penalty_limit,
)
from indexer.backends.simhash_scratch import Scratch
from indexer.backends.simhash_tables import RoughMatrix, SimHashTables
from indexer.rescoring_kernels import dot, kth_largest, rank
from indexer.vector_instructions import BLOCK_ROWS, score_blocks

MANY_BLOCKS = 1 << 14
"""Blocks above which they are spread: 4 MB, what the nearer caches do not hold."""
ROUGH_ERRORS = 2.0
"""Steps times length of the query by which two rough scores may differ from exact ones: each has a
standard error of step / sqrt(12) for each unit of the query's length, so this is about five of the
difference's."""


class Effort(NamedTuple):
    """How much a query may cost: buckets read in each table, and candidates scored."""

    buckets: int
    candidates: int


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
def prepare(tables: SimHashTables, query: FloatVector, effort: Effort, scratch: Scratch) -> int:
    """List the blocks that a query reads and fill its tables; return how many blocks there are."""
    project(query, tables.centre, tables.planes, scratch)
    blocks = choose_blocks(tables, scratch, effort.buckets)
    of_codes = scratch.marks[tables.planes.shape[0] - 128 * tables.codes.shape[0] :]
    fill_tables(of_codes, effort.candidates / max(blocks * BLOCK_ROWS, 1), scratch.tables)
    return blocks


@njit(nogil=True, cache=True)
def scan(tables: SimHashTables, scratch: Scratch, start: int, end: int) -> None:
    """Write the penalties of the blocks listed from `start` to `end` - 1."""
    for chunk in range(tables.codes.shape[0]):
        score_blocks(
            tables.codes[chunk],
            scratch.blocks[start:],
            end - start,
            scratch.tables[chunk],
            chunk == 0,
            scratch.penalties[start * BLOCK_ROWS :],
        )


@njit(nogil=True, cache=True)
def select(tables: SimHashTables, effort: Effort, blocks: int, scratch: Scratch) -> int:
    """Write the rows with the least penalties into `scratch.rows`; return how many."""
    size = blocks * BLOCK_ROWS
    if size == 0:
        return 0
    scratch.penalties[size : size + 64] = SATURATED
    limit = SATURATED
    if effort.candidates < size:
        limit = penalty_limit(scratch.penalties, size, effort.candidates)
    count = collect(scratch.penalties, size, limit, tables, scratch)
    if tables.offsets.shape[0] > 1:
        count = drop_repeated(scratch.rows, count, scratch.seen)
    return count


@njit(nogil=True, cache=True)
def find_candidates(
    tables: SimHashTables, query: FloatVector, effort: Effort, scratch: Scratch
) -> int:
    """Do all that comes before scoring, for one query; return how many rows are to be scored."""
    blocks = prepare(tables, query, effort, scratch)
    if blocks > MANY_BLOCKS:
        spread(scratch.blocks, blocks, scratch.rows)
        scratch.blocks[:blocks] = scratch.rows[:blocks]
    scan(tables, scratch, 0, blocks)
    return select(tables, effort, blocks, scratch)


@njit(nogil=True, cache=True)
def score(  # noqa: PLR0913 - kernels take arrays, not objects
    tables: SimHashTables,
    vectors: FloatMatrix,
    query: FloatVector,
    count: int,
    ceiling: float,
    scratch: Scratch,
    out_rows: IntVector,
    out_scores: FloatVector,
) -> None:
    """Score the first `count` of `scratch.rows` and write the best, as `rank` does."""
    n, k = vectors.shape[0], out_rows.shape[0]
    if count < min(k, n):
        # Too little was read for an answer of k; rare enough to read everything.
        count = n
        for row in range(n):
            scratch.rows[row] = row
    else:
        count = keep_promising(tables.rough, query, k, scratch.rows, count, scratch.estimates)
    rank(vectors, query, scratch.rows[:count], ceiling, out_rows, out_scores)


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
    for i in range(queries.shape[0]):
        count = 0
        if effort.candidates < vectors.shape[0]:
            count = find_candidates(tables, queries[i], effort, scratch)
        score(tables, vectors, queries[i], count, ceiling, scratch, out_rows[i], out_scores[i])
