"""Queries checked and scaled in one pass.

Reassociation lets LLVM use vector registers; NaN and infinity keep their meaning.
"""

from typing import Any

import numpy as np
from numba import njit

from artifacts.arrays import FloatMatrix


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def scale_to_unit(queries: FloatMatrix, out: FloatMatrix) -> Any:
    """Write the rows of `queries` scaled to length 1 into `out`; zero rows stay zero.

    Args:
        queries: (q, d) float32.
        out: (q, d) float32, overwritten.

    Returns:
        Whether all numbers are finite; otherwise `out` means nothing.
    """
    for i in range(queries.shape[0]):
        total = 0.0  # float64: squares of float32 neither overflow nor vanish in it
        for j in range(queries.shape[1]):
            total += np.float64(queries[i, j]) * np.float64(queries[i, j])
        if not np.isfinite(total):
            return False
        scale = 1 / np.sqrt(total) if total > 0 else 0.0
        for j in range(queries.shape[1]):
            out[i, j] = queries[i, j] * scale
    return True


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def all_finite(queries: FloatMatrix) -> Any:
    """Tell whether all numbers of `queries` (q, d) float32 are finite."""
    for i in range(queries.shape[0]):
        total = 0.0
        for j in range(queries.shape[1]):
            total += np.float64(queries[i, j]) * 0.0
        if total != 0:
            return False
    return True
