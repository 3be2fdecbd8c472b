from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.arrays import FloatMatrix, FloatVector
from indexer.rescoring_kernels import dot, kth_largest, rank, rank_above, rank_all, rank_each


def rank_twin(
    vectors: FloatMatrix, query: FloatVector, candidates: Iterable[int], k: int
) -> tuple[list[int], list[float]]:
    """Sort all candidates by falling score, then row."""
    rows = [int(row) for row in candidates if row >= 0]
    scored = sorted((-float(dot(vectors[row], query)), row) for row in rows)[:k]
    padding = k - len(scored)
    return (
        [row for _, row in scored] + [-1] * padding,
        [-score for score, _ in scored] + [-np.inf] * padding,
    )


def made(seed: int, n: int, dim: int):
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, (n, dim)).astype(np.float32)
    return rng, vectors, rng.integers(-2, 3, (4, dim)).astype(np.float32)


def blank(q: int, k: int):
    return np.zeros((q, k), dtype=np.int32), np.zeros((q, k), dtype=np.float32)


@pytest.mark.parametrize("dim", [1, 7, 16, 100, 257])
def test_dot_equals_numpy(dim: int):
    left, right = np.random.default_rng(dim).standard_normal((2, dim)).astype(np.float32)
    np.testing.assert_allclose(dot(left, right), np.dot(left, right), rtol=1e-4, atol=1e-5)


def test_dot_keeps_nan_and_infinity():
    ones = np.ones(40, dtype=np.float32)
    bad = ones.copy()
    bad[17] = np.nan
    assert np.isnan(dot(ones, bad))
    bad[17] = np.inf
    assert dot(ones, bad) == np.inf


@settings(derandomize=True, deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40), k=st.integers(1, 50))
def test_rank_equals_sorting(seed: int, n: int, k: int):
    rng, vectors, queries = made(seed, n, 3)
    candidates = rng.permutation(n)[: rng.integers(0, n + 1)].astype(np.int32)
    candidates = np.append(candidates, np.int32(-1))
    rows, scores = blank(1, k)
    rank(vectors, queries[0], candidates, np.inf, rows[0], scores[0])
    expected_rows, expected_scores = rank_twin(vectors, queries[0], candidates, k)
    assert rows[0].tolist() == expected_rows
    assert scores[0].tolist() == expected_scores


def test_rank_sets_scores_above_the_ceiling_to_it():
    vectors = np.array([[1.0], [3.0], [2.0]], dtype=np.float32)
    rows, scores = blank(1, 3)
    rank(vectors, vectors[0], np.arange(3, dtype=np.int32), 1.0, rows[0], scores[0])
    assert rows.tolist() == [[0, 1, 2]]
    assert scores.tolist() == [[1.0, 1.0, 1.0]]


def test_rank_each_and_rank_all_equal_rank():
    _, vectors, queries = made(3, 30, 4)
    everything = np.tile(np.arange(30, dtype=np.int32), (4, 1))
    each_rows, each_scores = blank(4, 6)
    rank_each(vectors, queries, everything, np.inf, each_rows, each_scores)
    all_rows, all_scores = blank(4, 6)
    rank_all(vectors, queries, np.inf, all_rows, all_scores)
    for i in range(4):
        expected = rank_twin(vectors, queries[i], range(30), 6)
        assert (each_rows[i].tolist(), each_scores[i].tolist()) == expected
        assert (all_rows[i].tolist(), all_scores[i].tolist()) == expected


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    values=st.lists(st.integers(-5, 5), min_size=1, max_size=60),
    k=st.integers(1, 70),
)
def test_kth_largest_equals_sorting(values: list[int], k: int):
    expected = -np.inf if k >= len(values) else sorted(values, reverse=True)[k - 1]
    assert kth_largest(np.array(values, dtype=np.float32), k) == expected


@pytest.mark.parametrize("k", [1, 5, 29, 30, 35])
def test_rank_above_is_exact_although_estimates_are_off(k: int):
    rng, vectors, queries = made(5, 30, 4)
    truth = queries @ vectors.T
    estimates = (truth + rng.uniform(-0.1, 0.1, truth.shape)).astype(np.float32)
    rows, scores = blank(4, k)
    tolerances = np.full(4, 0.2, dtype=np.float32)
    rank_above(vectors, queries, estimates, tolerances, np.inf, rows, scores)
    for i in range(4):
        assert rows[i].tolist() == rank_twin(vectors, queries[i], range(30), k)[0]
