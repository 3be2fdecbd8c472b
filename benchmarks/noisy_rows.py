"""A larger catalogue than there is: copies of real vectors, each with noise of its own."""

from collections.abc import Iterator

import numpy as np

from artifacts.arrays import FloatMatrix, IntMatrix, unit_rows

NOISE = 0.05
"""Standard deviation of each coordinate of the noise, before rows are brought to length 1 again."""


def noisy_blocks(base: FloatMatrix, rows: int, seed: int) -> Iterator[FloatMatrix]:
    """Yield `rows` unit vectors in blocks of at most len(base): the base itself, then its copies."""
    rng = np.random.default_rng(seed)
    base = unit_rows(base)
    yield base[:rows]
    for start in range(len(base), rows, len(base)):
        noise = rng.standard_normal(base.shape, dtype=np.float32)
        yield unit_rows(base + np.float32(NOISE) * noise)[: rows - start]


def noisy_rows(
    base: FloatMatrix, rows: int, queries: FloatMatrix, k: int, seed: int
) -> tuple[FloatMatrix, IntMatrix]:
    """Return (rows, d) vectors and the (q, k) rows among them that are nearest to the queries.

    Cost: O(rows q d), and rows d floats of memory.
    """
    vectors = np.empty((rows, base.shape[1]), dtype=np.float32)
    best_scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    best_rows = np.full((len(queries), k), -1, dtype=np.int32)
    start = 0
    for block in noisy_blocks(base, rows, seed):
        vectors[start : start + len(block)] = block
        scores = queries @ block.T
        nearest = np.argpartition(-scores, min(k, len(block)) - 1, axis=1)[:, :k]
        scores = np.hstack([best_scores, np.take_along_axis(scores, nearest, axis=1)])
        found = np.hstack([best_rows, (nearest + start).astype(np.int32)])
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        best_scores = np.take_along_axis(scores, order, axis=1)
        best_rows = np.take_along_axis(found, order, axis=1)
        start += len(block)
    return vectors, best_rows
