"""What every answer of every index obeys, told without any code under test."""

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix
from artifacts.neighbors import Neighbors
from indexer.index import Metric


def plain_scores(vectors: FloatMatrix, asked: FloatMatrix, metric: Metric) -> NDArray[np.float64]:
    """Score in float64, without any code under test."""
    left, right = asked.astype(np.float64), vectors.astype(np.float64)
    if metric is Metric.COSINE:
        left, right = (
            side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-300)
            for side in (left, right)
        )
    return left @ right.T  # (q, n)


def assert_lawful(
    answer: Neighbors, vectors: FloatMatrix, asked: FloatMatrix, metric: Metric
) -> None:
    """Check shape-independent rules: types, true scores, order, ties, padding, no row twice."""
    assert answer.rows.dtype == np.int32
    assert answer.scores.dtype == np.float32
    truth, slacks = plain_scores(vectors, asked, metric), rounding(vectors, asked, metric)
    for rows, scores, true, slack in zip(answer.rows, answer.scores, truth, slacks, strict=True):
        hits = rows >= 0
        assert not hits[np.argmin(hits) :].any() or hits.all()
        assert np.all(scores[~hits] == -np.inf)
        found, given_scores = rows[hits], scores[hits]
        assert len(np.unique(found)) == len(found)
        np.testing.assert_allclose(given_scores, true[found], rtol=1e-5, atol=slack)
        keys = list(zip(-given_scores.astype(float), found.tolist(), strict=True))
        assert keys == sorted(keys)


def rounding(vectors: FloatMatrix, asked: FloatMatrix, metric: Metric) -> NDArray[np.float64]:
    """Return (q,) what a score in float32 may be off by, terms of both signs being summed."""
    if metric is Metric.COSINE:
        return np.full(len(asked), 1e-5)
    longest = np.linalg.norm(vectors.astype(np.float64), axis=1).max()
    return 1e-5 + 2e-6 * longest * np.linalg.norm(asked.astype(np.float64), axis=1)
