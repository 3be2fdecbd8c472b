import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.backends.simhash_bucket_kernels import (
    bucket_limit,
    choose_blocks,
    fill_penalties,
    project,
    spread,
)
from indexer.backends.simhash_scratch import new_scratch
from indexer.backends.simhash_tables import Shape, build_tables
from tests.clusters import clustered
from tests.made_simhash import DIM, made_query, made_tables, marks_twin, parted


@pytest.fixture(scope="module")
def tables():
    return made_tables()


@pytest.fixture
def query():
    return made_query()


def test_projections_are_those_of_the_unit_query_about_the_centre(tables, query):
    scratch = new_scratch(tables)
    project(query, tables.centre, tables.planes, scratch)
    np.testing.assert_allclose(scratch.marks, marks_twin(tables, query), atol=1e-6)


def test_zero_query_has_projections(tables):
    scratch = new_scratch(tables)
    project(np.zeros(DIM, dtype=np.float32), tables.centre, tables.planes, scratch)
    expected = tables.planes @ -tables.centre
    np.testing.assert_allclose(scratch.marks, expected, atol=1e-6)


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
    found = bucket_limit(low, high, wanted, np.empty((2, 256), dtype=np.int32))
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


@settings(deadline=None, max_examples=50)
@given(count=st.integers(0, 1000))
def test_spread_blocks_are_the_same_and_neighbours_apart(count: int):
    out = np.full(count, -1, dtype=np.int32)
    spread(np.arange(count, dtype=np.int32), count, out)
    assert sorted(out.tolist()) == list(range(count))
    if count >= 128:
        assert not np.any(np.diff(out) == 1)


def test_penalties_without_a_plane_choose_the_only_bucket(query):
    rng = np.random.default_rng(0)
    tables = build_tables(clustered(40, DIM), Shape(1, 0, 128), rng, reduced=False, threads=1)
    for array in tables:
        array.setflags(write=False)
    scratch = new_scratch(tables)
    project(query, tables.centre, tables.planes, scratch)
    count = choose_blocks(tables, scratch, 1)
    assert scratch.blocks[:count].tolist() == [0, 1, 2]
