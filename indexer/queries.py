"""The gate through which queries enter an index."""

from artifacts.arrays import FloatMatrix, check_matrix
from artifacts.errors import DataError


def check_queries(queries: FloatMatrix, k: int, *, dim: int) -> FloatMatrix:
    """Return `queries` if an index of `dim` dimensions can answer them.

    Raises:
        DataError: k < 1, or the queries are not a finite C-contiguous (q, dim) float32 matrix.

    Cost: one pass over the queries.
    """
    if k < 1:
        raise DataError(f"k: expected at least 1, got {k}")
    return check_matrix(queries, name="queries", dim=dim)
