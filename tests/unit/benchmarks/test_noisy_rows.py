import numpy as np
import pytest

from artifacts.arrays import unit_rows
from benchmarks.noisy_rows import noisy_rows
from tests.clusters import clustered


@pytest.mark.parametrize("rows", [50, 100, 101, 350])
def test_base_comes_first_and_copies_follow_close(rows: int):
    base, queries = clustered(100), unit_rows(clustered(4, seed=1))
    vectors, _ = noisy_rows(base, rows, queries, 3, seed=0)
    assert vectors.shape == (rows, base.shape[1])
    unit = unit_rows(base)
    np.testing.assert_allclose(vectors[:100], unit[:rows], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cosines = (vectors * unit[np.arange(rows) % 100]).sum(axis=1)
    assert cosines.min() > 0.8
    assert len(np.unique(vectors, axis=0)) == rows


def test_truth_equals_sorting_all_scores():
    base, queries = clustered(100), unit_rows(clustered(4, seed=1))
    vectors, truth = noisy_rows(base, 350, queries, 5, seed=0)
    np.testing.assert_array_equal(truth, np.argsort(-queries @ vectors.T, axis=1)[:, :5])
