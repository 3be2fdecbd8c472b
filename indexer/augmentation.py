"""Inner products as cosines, by one more dimension.

An engine that finds the largest cosine finds the largest inner product once every vector has the
same length: append sqrt(M^2 - |x|^2) to each of the n vectors, M being the longest length, and a
zero to the query (Bachrach et al. 2014, section 3; Neyshabur and Srebro 2015, section 4, use the
same map for hashing). The order of the neighbours is then exactly that of the inner products.
"""

import numpy as np

from artifacts.arrays import FloatMatrix


def longest_length(vectors: FloatMatrix) -> float:
    """Return the length of the longest of n vectors."""
    return float(np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64).max()))


def augment_vectors(vectors: FloatMatrix, longest: float | None = None) -> FloatMatrix:
    """Return (n, d + 1) unit rows whose cosine with an augmented query orders as inner products.

    If all vectors are zero, so are the results.

    Args:
        vectors: (n, d) float32.
        longest: length of the longest vector of all, where these are some of them.
    """
    squares = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    most = squares.max() if longest is None else longest**2
    rest = np.sqrt(np.maximum(most - squares, 0))[:, np.newaxis]  # (n, 1)
    scale = 1 / np.sqrt(most) if most > 0 else 1.0
    return np.hstack([vectors * scale, rest * scale]).astype(np.float32)  # (n, d + 1)


def augment_queries(queries: FloatMatrix) -> FloatMatrix:
    """Return (q, d + 1) queries with a zero in the last dimension."""
    zeros = np.zeros((len(queries), 1), dtype=np.float32)
    return np.hstack([queries, zeros])  # (q, d + 1)
