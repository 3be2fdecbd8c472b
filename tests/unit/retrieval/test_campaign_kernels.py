import numpy as np
import pytest

from retrieval.campaign_kernels import rank_allowed


@pytest.mark.parametrize("k", [1, 4, 30])
def test_ranks_are_those_of_a_sort_over_allowed_items(k):
    rng = np.random.default_rng(k)
    factors = rng.integers(-2, 3, (20, 3)).astype(np.float32)  # many equal scores
    users = rng.integers(-2, 3, (6, 3)).astype(np.float32)
    estimates = users @ factors.T
    estimates[rng.random(estimates.shape) < 0.3] = -np.inf
    rows = np.full((6, k), 99, dtype=np.int32)
    scores = np.zeros((6, k), dtype=np.float32)
    rank_allowed(factors, users, estimates, np.full(6, 1e-3, dtype=np.float32), rows, scores)
    for i in range(6):
        order = np.lexsort((np.arange(20), -estimates[i]))
        order = order[np.isfinite(estimates[i, order])][:k]
        padding = k - len(order)
        assert rows[i].tolist() == [*order.tolist(), *[-1] * padding]
        assert scores[i].tolist() == [*estimates[i, order].tolist(), *[-np.inf] * padding]
