"""Memory that a thread searches a SimHash index with."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntMatrix, IntVector
from indexer.backends.simhash_tables import ByteArray, SimHashTables
from indexer.vector_instructions import BLOCK_ROWS, BLOCKS_AHEAD

GROUP = 16
"""Queries that read the codes together."""
LOW_BITS = 8
"""Bits of a bucket's number that are looked up together, 256 penalties in four registers."""


class Scratch(NamedTuple):
    """Memory of one searching thread, so that a query allocates none.

    Attributes:
        query: (d',) float32, the query about the centre.
        marks: (planes,) float32, its projections.
        tables: (bits / 128, 8, 4, 16) uint8, penalties of nibbles.
        sums: (2^b or 256,) float32, as `fill_penalties` takes them.
        near: (256,) uint8, penalties of the low bits of a bucket's number.
        far: (2^(b - 8),) uint8, penalties of its other bits.
        counts: (2, 256) int32, as `bucket_limit` takes them.
        buckets: (2^b,) int32, numbers of the buckets to read in a table.
        blocks: (m + 32,) int32, blocks of codes to read.
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
    counts: IntMatrix
    buckets: IntVector
    blocks: IntVector
    penalties: ByteArray
    rows: IntVector
    estimates: FloatVector
    seen: IntVector


class Together(NamedTuple):
    """Memory of g queries that read the codes together.

    Attributes:
        tables: (g, bits / 128, 8, 4, 16) uint8, as in `Scratch` for each query.
        blocks: (g, m + 32) int32, as in `Scratch`.
        penalties: (g, 16 m + 64) uint8, as in `Scratch`.
        listed: (g,) int64, blocks listed.
        done: (g,) int64, blocks read.
    """

    tables: ByteArray
    blocks: IntMatrix
    penalties: ByteArray
    listed: NDArray[np.int64]
    done: NDArray[np.int64]


def new_together(tables: SimHashTables) -> Together:
    """Return memory for searching `tables` with `GROUP` queries at a time."""
    places = tables.order.size
    return Together(
        tables=np.empty((GROUP, len(tables.codes), 8, 4, 16), dtype=np.uint8),
        blocks=np.empty((GROUP, places // BLOCK_ROWS + BLOCKS_AHEAD), dtype=np.int32),
        penalties=np.empty((GROUP, places + 64), dtype=np.uint8),
        listed=np.empty(GROUP, dtype=np.int64),
        done=np.empty(GROUP, dtype=np.int64),
    )


def new_scratch(tables: SimHashTables) -> Scratch:
    """Return memory for searching `tables`.

    What a search does not touch costs no memory: the system provides pages as they are written.
    """
    places = tables.order.size
    bucket_bits = (tables.offsets.shape[1] - 1).bit_length() - 1
    return Scratch(
        query=np.empty(len(tables.centre), dtype=np.float32),
        marks=np.empty(len(tables.planes), dtype=np.float32),
        tables=np.empty((len(tables.codes), 8, 4, 16), dtype=np.uint8),
        sums=np.empty(1 << max(bucket_bits, LOW_BITS), dtype=np.float32),
        near=np.empty(1 << LOW_BITS, dtype=np.uint8),
        far=np.empty(1 << max(bucket_bits - LOW_BITS, 0), dtype=np.uint8),
        counts=np.empty((2, 256), dtype=np.int32),
        buckets=np.empty(1 << bucket_bits, dtype=np.int32),
        blocks=np.empty(places // BLOCK_ROWS + BLOCKS_AHEAD, dtype=np.int32),
        penalties=np.empty(places + 64, dtype=np.uint8),
        rows=np.empty(places + 1, dtype=np.int32),
        estimates=np.empty(places + 1, dtype=np.float32),
        seen=np.empty(max(1 << (2 * places).bit_length(), 64), dtype=np.int32),
    )
