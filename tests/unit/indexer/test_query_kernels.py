import numpy as np
import pytest

from artifacts.arrays import unit_rows
from indexer.query_kernels import all_finite, scale_to_unit
from tests.clusters import clustered


def test_rows_are_scaled_to_unit_length_and_zero_rows_stay_zero():
    queries = np.vstack([clustered(5, 9), np.zeros((1, 9), dtype=np.float32)])
    out = np.full_like(queries, np.nan)
    assert scale_to_unit(queries, out)
    np.testing.assert_allclose(out, unit_rows(queries), rtol=1e-6)


@pytest.mark.parametrize("length", [1e-38, 1e30])
def test_lengths_whose_square_float32_cannot_hold_are_scaled(length: float):
    queries = np.full((1, 4), length, dtype=np.float32)
    out = np.empty_like(queries)
    assert scale_to_unit(queries, out)
    np.testing.assert_allclose(out, 0.5, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0), (3, 12), (7, 36)])
def test_what_is_not_finite_is_seen_wherever_it_stands(bad: float, place: tuple[int, int]):
    queries = clustered(8, 37)
    assert all_finite(queries)
    queries[place] = bad
    assert not all_finite(queries)
    assert not scale_to_unit(queries, np.empty_like(queries))
