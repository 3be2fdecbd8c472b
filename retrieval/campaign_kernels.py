"""The best allowed items of many users, from a matrix of estimated scores."""

import numpy as np
from numba import njit

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix
from indexer.rescoring_kernels import kth_largest, rank


@njit(nogil=True, cache=True)
def rank_allowed(  # noqa: PLR0913 - kernels take arrays, not objects
    factors: FloatMatrix,
    users: FloatMatrix,
    estimates: FloatMatrix,
    tolerances: FloatVector,
    out_rows: IntMatrix,
    out_scores: FloatMatrix,
) -> None:
    """Rank exactly the items whose estimate may belong to the k best.

    Args:
        factors: (n, d) float32.
        users: (u, d) float32.
        estimates: (u, n) float32 scores in another order of summation; -inf is not allowed.
        tolerances: (u,) float32 bounds on the difference of two estimates of one score.
        out_rows: (u, k) int32, overwritten; -1 where allowed items ran out.
        out_scores: (u, k) float32, overwritten; -inf where allowed items ran out.
    """
    chosen = np.empty(factors.shape[0], dtype=np.int32)
    for i in range(users.shape[0]):
        bound = kth_largest(estimates[i], out_rows.shape[1]) - tolerances[i]
        count = 0
        for item in range(factors.shape[0]):
            if estimates[i, item] >= bound and estimates[i, item] > -np.inf:
                chosen[count] = item
                count += 1
        rank(factors, users[i], chosen[:count], np.inf, out_rows[i], out_scores[i])
