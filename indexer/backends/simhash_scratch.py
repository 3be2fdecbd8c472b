"""Memory that a thread searches a SimHash index with."""

import numpy as np

from indexer.backends.simhash_kernels import LOW_BITS, Scratch
from indexer.backends.simhash_tables import SimHashTables
from indexer.backends.vector_instructions import BLOCKS_AHEAD


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
        counts=np.empty(256, dtype=np.int32),
        blocks=np.empty(places // 16 + BLOCKS_AHEAD, dtype=np.int32),
        penalties=np.empty(places + 64, dtype=np.uint8),
        rows=np.empty(places + 1, dtype=np.int32),
        estimates=np.empty(places + 1, dtype=np.float32),
        seen=np.empty(max(1 << (2 * places).bit_length(), 64), dtype=np.int32),
    )
