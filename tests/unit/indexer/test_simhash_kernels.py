import numpy as np
import pytest

from indexer.backends.simhash_kernels import Effort, find_candidates, keep_promising, rough_dot
from indexer.backends.simhash_scratch import new_scratch
from tests.clusters import clustered
from tests.made_simhash import DIM, N, made_query, made_tables, marks_twin


@pytest.fixture(scope="module")
def tables():
    return made_tables()


@pytest.fixture
def query():
    return made_query()


def test_rough_product_equals_numpy(tables, query):
    expected = tables.rough[7].astype(np.float32) @ query
    np.testing.assert_allclose(rough_dot(tables.rough[7], query), expected, rtol=1e-5)


@pytest.mark.parametrize("k", [1, 10, 99, 100, 200])
def test_promising_candidates_hold_the_k_best(tables, query, k: int):
    rows = np.random.default_rng(k).permutation(N)[:100].astype(np.int32)
    given_rows = rows.copy()
    kept = keep_promising(tables.rough, query, k, rows, 100, np.empty(100, dtype=np.float32))
    exact = clustered(N, DIM)[given_rows] @ query
    best = set(given_rows[np.argsort(-exact)[:k]].tolist())
    assert best <= set(rows[:kept].tolist())
    assert [row for row in given_rows if row in set(rows[:kept].tolist())] == rows[:kept].tolist()


def test_candidates_are_the_rows_with_the_least_penalties(tables, query):
    wanted = 150
    scratch = new_scratch(tables)
    count = find_candidates(tables, query, Effort(512, wanted), scratch)
    found = set(scratch.rows[:count].tolist())
    assert len(found) == count
    vectors = clustered(N, DIM)
    marks = marks_twin(tables, query)[18:]
    bits = (vectors - tables.centre) @ tables.planes[18:].T > 0
    penalties = np.where(bits != (marks > 0), np.abs(marks), 0).sum(axis=1)
    order = np.argsort(penalties)
    # Rounding to bytes and a limit between whole numbers blur the edge, not the middle.
    assert set(order[: count // 2].tolist()) <= found <= set(order[: 2 * count].tolist())
