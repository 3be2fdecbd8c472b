"""The gate through which queries enter an index."""

import numpy as np

from artifacts.arrays import FloatMatrix, check_matrix
from artifacts.errors import DataError
from indexer.query_kernels import all_finite, scale_to_unit


def checked_queries(queries: FloatMatrix, k: int, *, dim: int, unit: bool) -> FloatMatrix:
    """Return queries that an index of `dim` dimensions can answer.

    Args:
        queries: (q, dim) float32; never changed.
        k: neighbours wanted.
        dim: dimensions of the index.
        unit: whether queries are brought to length 1; zero queries stay zero.

    Raises:
        DataError: k < 1, or the queries are not a finite C-contiguous (q, dim) float32 matrix.

    Cost: one pass over the queries.
    """
    if k < 1:
        raise DataError(f"k: expected at least 1, got {k}")
    if not _fits(queries, dim):
        check_matrix(queries, name="queries", dim=dim)
    # Kernels are compiled for arrays that may be written; another set for others would be compiled
    # when the first mapped query comes.
    given = queries if queries.flags.writeable else queries.copy()
    scaled = np.empty(given.shape, dtype=np.float32) if unit else given
    if not (scale_to_unit(given, scaled) if unit else all_finite(given)):
        check_matrix(queries, name="queries", dim=dim)
    return scaled


def _fits(queries: FloatMatrix, dim: int) -> bool:
    return (
        queries.dtype == np.float32
        and queries.ndim == 2
        and queries.shape[1] == dim
        and queries.flags.c_contiguous
    )
