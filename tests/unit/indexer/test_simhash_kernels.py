import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.arrays import FloatVector
from indexer.backends.simhash_kernels import (
    Effort,
    bucket_limit,
    choose_blocks,
    drop_repeated,
    fill_penalties,
    fill_tables,
    find_candidates,
    keep_promising,
    penalty_limit,
    project,
    rough_dot,
)
from indexer.backends.simhash_scratch import new_scratch
from indexer.backends.simhash_tables import Shape, SimHashTables, build_tables
from tests.clusters import clustered

N, DIM = 5000, 20
SHAPE = Shape(tables=2, bucket_bits=9, bits=128)


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(1)
    made = build_tables(clustered(N, DIM), SHAPE, rng, reduced=False, threads=1)
    for array in made:
        array.setflags(write=False)
    return made


@pytest.fixture
def query():
    return clustered(1, DIM, seed=2)[0]


def marks_twin(tables: SimHashTables, query: FloatVector) -> FloatVector:
    marks: FloatVector = tables.planes @ (query / np.float32(np.linalg.norm(query)) - tables.centre)
    return marks


def parted(value: int, marks) -> float:
    """Sum of the distances of the planes that part a value's bits from the query."""
    return float(sum(abs(m) for i, m in enumerate(marks) if (m > 0) != bool(value >> i & 1)))


def test_projections_are_those_of_the_unit_query_about_the_centre(tables, query):
    scratch = new_scratch(tables)
    project(query, tables.centre, tables.planes, scratch)
    np.testing.assert_allclose(scratch.marks, marks_twin(tables, query), atol=1e-6)


def test_zero_query_has_projections(tables):
    scratch = new_scratch(tables)
    project(np.zeros(DIM, dtype=np.float32), tables.centre, tables.planes, scratch)
    expected = tables.planes @ -tables.centre
    np.testing.assert_allclose(scratch.marks, expected, atol=1e-6)


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


@pytest.mark.parametrize("bits", [0, 1, 5, 8])
def test_penalties_of_bucket_numbers_equal_adding_plane_by_plane(bits: int):
    marks = np.random.default_rng(bits).standard_normal(bits).astype(np.float32)
    sums, out = np.empty(256, dtype=np.float32), np.empty(256, dtype=np.uint8)
    fill_penalties(marks, 10.0, sums, out)
    expected = [10 * parted(value, marks) for value in range(1 << bits)]
    np.testing.assert_allclose(out[: 1 << bits], expected, atol=0.51)
    assert np.all(out[1 << bits :] == 255)


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**31), near=st.integers(0, 8), far=st.integers(0, 6), share=st.floats(0, 1)
)
def test_bucket_limit_is_the_smallest_that_holds_the_buckets_wanted(seed, near, far, share):
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 127, 1 << near, dtype=np.uint8)
    high = rng.integers(0, 127, 1 << far, dtype=np.uint8)
    sums = np.sort(np.add.outer(high.astype(int), low.astype(int)).ravel())
    wanted = max(int(share * len(sums)), 1)
    found = bucket_limit(low, high, wanted, np.empty(256, dtype=np.int32))
    assert found == sums[wanted - 1]


@pytest.mark.parametrize("wanted", [1, 20, 200, 512])
def test_blocks_of_the_nearest_buckets_are_listed_once_and_in_order(tables, query, wanted: int):
    scratch = new_scratch(tables)
    project(query, tables.centre, tables.planes, scratch)
    count = choose_blocks(tables, scratch, wanted)
    listed = scratch.blocks[:count].tolist()
    assert listed == sorted(set(listed))
    for table in range(2):
        marks = marks_twin(tables, query)[9 * table : 9 * table + 9]
        penalties = np.array([parted(bucket, marks) for bucket in range(512)])
        slack = 2.0 * np.abs(marks).sum() / 252  # two roundings
        bound = np.sort(penalties)[wanted - 1]
        offsets = tables.offsets[table]
        for bucket in range(512):
            blocks = set(range(offsets[bucket], offsets[bucket + 1]))
            if penalties[bucket] < bound - slack:
                assert blocks <= set(listed)
            if penalties[bucket] > bound + slack:
                assert not blocks & set(listed)


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
