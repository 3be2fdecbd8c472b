"""Made vectors of any number, written to a file block by block, and exact answers about them."""

from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix, IntMatrix, map_array, unit_rows
from indexer.array_writer import write_array

DIM = 100
CENTRES = 4096
BLOCK = 1 << 16
SPREAD = 0.6
"""Length of what sets an item apart from its centre, beside a centre of length 1; an inverted file
needs about as many cells for a recall as it does on word vectors."""

QUERY_BLOCK = 2**31
"""Number of the block that queries come from; no catalogue reaches it."""


def write_rows(path: Path, n: int, *, seed: int) -> FloatMatrix:
    """Write (n, 100) clustered unit vectors to `path` and map them.

    Row i is the same whatever n is, so that a larger catalogue holds the smaller one. Directions in
    which items differ from their centre weigh as 1 / sqrt(1 + j / 4), as trained vectors spread over
    few directions.

    Cost: O(n d), memory for one block.
    """
    with write_array(path, (n, DIM), np.float32) as writer:
        for number, start in enumerate(range(0, n, BLOCK)):
            writer.append(made_block(number, seed=seed)[: n - start])
    return map_array(path)


def made_block(number: int, *, seed: int) -> FloatMatrix:
    """Return a block of (65536, 100) unit vectors."""
    centres = unit_rows(np.random.default_rng(seed).standard_normal((CENTRES, DIM), np.float32))
    rng = np.random.default_rng([seed, number])
    weights = 1 / np.sqrt(1 + np.arange(DIM, dtype=np.float32) / 4)
    weights *= SPREAD / np.linalg.norm(weights)
    noise = rng.standard_normal((BLOCK, DIM), np.float32) * weights
    items = centres[rng.integers(0, CENTRES, BLOCK)] + noise
    return unit_rows(items.astype(np.float32, copy=False))


def made_queries(count: int, *, seed: int) -> FloatMatrix:
    """Return (count, 100) vectors as those of the catalogue, but not in it."""
    return np.ascontiguousarray(made_block(QUERY_BLOCK, seed=seed)[:count])


def true_neighbors(vectors: FloatMatrix, queries: FloatMatrix, k: int) -> IntMatrix:
    """Return (q, k) rows of the greatest inner products, in no order; memory for one block."""
    best = np.full((len(queries), k), -np.inf, dtype=np.float32)
    rows = np.full((len(queries), k), -1, dtype=np.int32)
    for start in range(0, len(vectors), BLOCK):
        products = queries @ vectors[start : start + BLOCK].T
        numbers = np.broadcast_to(
            np.arange(start, start + products.shape[1], dtype=np.int32), products.shape
        )
        scores, found = np.hstack([best, products]), np.hstack([rows, numbers])
        chosen = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        best = np.take_along_axis(scores, chosen, axis=1)
        rows = np.take_along_axis(found, chosen, axis=1)
    return rows
