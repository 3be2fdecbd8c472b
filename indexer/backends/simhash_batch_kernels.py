"""Search of a SimHash index for several queries at once, which share each piece of the codes."""

from numba import njit

from artifacts.arrays import FloatMatrix, IntMatrix, IntVector
from indexer.backends.simhash_kernels import Effort, prepare, scan, score, select
from indexer.backends.simhash_scratch import Scratch, Together
from indexer.backends.simhash_tables import SimHashTables

PIECE = 1024
"""Blocks of codes that all queries read before the next are read: 256 KB, a quarter of a second-level
cache of usual size."""


@njit(nogil=True, cache=True)
def slot(scratch: Scratch, together: Together, i: int) -> Scratch:
    """Return the memory of query i of a group: what outlives a step is its own, the rest shared."""
    return Scratch(
        scratch.query,
        scratch.marks,
        together.tables[i],
        scratch.sums,
        scratch.near,
        scratch.far,
        scratch.counts,
        scratch.buckets,
        together.blocks[i],
        together.penalties[i],
        scratch.rows,
        scratch.estimates,
        scratch.seen,
    )


@njit(nogil=True, cache=True)
def first_from(blocks: IntVector, start: int, count: int, edge: int) -> int:
    """Return the first place from `start` on whose block is `edge` or more, `count` if none is.

    Args:
        blocks: (count or more,) int32, ascending.
        start: where to begin.
        count: how many count.
        edge: number of a block.
    """
    low, high = start, count
    while low < high:
        middle = (low + high) // 2
        if blocks[middle] < edge:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def scan_together(tables: SimHashTables, scratch: Scratch, together: Together, size: int) -> None:
    """Write the penalties of all listed blocks of `size` queries, piece by piece of the codes."""
    together.done[:size] = 0
    for edge in range(PIECE, tables.codes.shape[1] + PIECE, PIECE):
        for i in range(size):
            start = together.done[i]
            end = first_from(together.blocks[i], start, together.listed[i], edge)
            if end > start:
                scan(tables, slot(scratch, together, i), start, end)
            together.done[i] = end


@njit(nogil=True, cache=True)
def search_together(  # noqa: PLR0913 - kernels take arrays, not objects
    tables: SimHashTables,
    vectors: FloatMatrix,
    queries: FloatMatrix,
    effort: Effort,
    ceiling: float,
    scratch: Scratch,
    together: Together,
    out_rows: IntMatrix,
    out_scores: FloatMatrix,
) -> None:
    """Answer as `search_tables` does, in groups of as many queries as `together` has room for.

    Args:
        tables: the index.
        vectors: (n, d) float32.
        queries: (q, d) float32.
        effort: what a query may cost; fewer candidates than n.
        ceiling: as in `indexer.rescoring_kernels.rank`.
        scratch: memory of this thread.
        together: memory of the queries of a group.
        out_rows: (q, k) int32, overwritten.
        out_scores: (q, k) float32, overwritten.
    """
    for first in range(0, queries.shape[0], together.listed.shape[0]):
        size = min(together.listed.shape[0], queries.shape[0] - first)
        for i in range(size):
            one = slot(scratch, together, i)
            together.listed[i] = prepare(tables, queries[first + i], effort, one)
        scan_together(tables, scratch, together, size)
        for i in range(size):
            one = slot(scratch, together, i)
            query = first + i
            count = select(tables, effort, together.listed[i], one)
            score(
                tables,
                vectors,
                queries[query],
                count,
                ceiling,
                one,
                out_rows[query],
                out_scores[query],
            )
