"""Seeded vectors that lie in clusters, as products do."""

import numpy as np

from artifacts.arrays import FloatMatrix


def clustered(
    n: int, dim: int = 24, *, clusters: int = 40, skew: float = 0.0, seed: int = 0
) -> FloatMatrix:
    """Return (n, dim) vectors around `clusters` centres, the same centres for every n.

    Args:
        n: vectors.
        dim: dimensions.
        clusters: centres.
        skew: spread of the logarithm of the vectors' lengths.
        seed: of the vectors; the centres do not depend on it.
    """
    centres = np.random.default_rng(99).standard_normal((clusters, dim))
    rng = np.random.default_rng(seed)
    noise = 1.0 * rng.standard_normal((n, dim))
    lengths = rng.lognormal(0, skew, (n, 1))
    vectors = (centres[rng.integers(0, clusters, n)] + noise) * lengths
    return np.ascontiguousarray(vectors, dtype=np.float32)
