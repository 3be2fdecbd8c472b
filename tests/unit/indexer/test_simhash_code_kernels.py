import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.backends.simhash_code_kernels import (
    drop_repeated,
    fill_tables,
    penalty_limit,
)
from tests.made_simhash import made_query, made_tables, parted


@pytest.fixture(scope="module")
def tables():
    return made_tables()


@pytest.fixture
def query():
    return made_query()


@pytest.mark.parametrize("share", [0.01, 1.0])
def test_tables_hold_the_penalty_of_every_nibble(share: float):
    marks = np.random.default_rng(4).standard_normal(256).astype(np.float32)
    out = np.empty((2, 8, 4, 16), dtype=np.uint8)
    fill_tables(marks, share, out)
    total, length = np.abs(marks).sum(), np.linalg.norm(marks)
    unit = 254 / ((total - length / 2) / 2 if share < 0.5 else total)
    for nibble in range(64):
        chunk, byte, half = nibble // 32, nibble // 2 % 16, nibble % 2
        table = out[chunk, byte // 4 * 2 + half, byte % 4]
        expected = [parted(value, marks[4 * nibble : 4 * nibble + 4]) for value in range(16)]
        np.testing.assert_allclose(table, np.multiply(expected, unit), atol=0.51)


def test_tables_of_a_query_on_all_planes_are_zero():
    out = np.empty((1, 8, 4, 16), dtype=np.uint8)
    fill_tables(np.zeros(128, dtype=np.float32), 0.01, out)
    assert not out.any()


@pytest.mark.parametrize("wanted", [1, 10, 500, 3000])
def test_penalty_limit_of_few_penalties_is_exact(wanted: int):
    values = np.random.default_rng(wanted).integers(0, 256, 3000, dtype=np.uint8)
    padded = np.concatenate([values, np.full(64, 255, dtype=np.uint8)])
    # Chunks of 64 count whole, so the share wanted of 47 chunks is the number wanted.
    assert penalty_limit(padded, 3000, wanted) == np.sort(values)[wanted - 1]


def test_penalty_limit_of_many_is_estimated_from_all_parts_of_them():
    # Sorted penalties: a sample from one end would be far off.
    values = np.sort(np.random.default_rng(0).integers(0, 256, 200_000, dtype=np.uint8))
    padded = np.concatenate([values, np.full(64, 255, dtype=np.uint8)])
    held = int((values <= penalty_limit(padded, 200_000, 5000)).sum())
    assert 4000 < held < 6500


@settings(deadline=None, max_examples=50)
@given(rows=st.lists(st.one_of(st.integers(0, 20), st.integers(0, 2**31 - 1)), max_size=300))
def test_repeated_rows_are_dropped_and_the_order_kept(rows: list[int]):
    array = np.array(rows, dtype=np.int32)
    kept = drop_repeated(array, len(rows), np.empty(1024, dtype=np.int32))
    assert array[:kept].tolist() == list(dict.fromkeys(rows))
