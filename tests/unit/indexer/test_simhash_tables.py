import numpy as np
import pytest

from indexer.augmentation import augment_vectors
from indexer.backends.simhash_planes import sign_bits
from indexer.backends.simhash_tables import (
    MOST_TABLES,
    Shape,
    SimHashTables,
    build_tables,
    check_tables,
    shape_for,
)
from indexer.config import SimHashBuild
from tests.clusters import clustered

SHAPE = Shape(tables=2, bucket_bits=3, bits=256)
DIM = 20


def built(n: int, *, reduced: bool = False, threads: int = 1) -> SimHashTables:
    rng = np.random.default_rng(5)
    return build_tables(clustered(n, DIM, skew=0.3), SHAPE, rng, reduced=reduced, threads=threads)


def bits_twin(n: int, tables: SimHashTables, *, reduced: bool):
    vectors = clustered(n, DIM, skew=0.3)
    angular = augment_vectors(vectors) if reduced else vectors
    return sign_bits(angular, tables.centre, tables.planes)  # (n, 6 + 256)


@pytest.mark.parametrize(("n", "reduced"), [(1, False), (16, False), (333, False), (333, True)])
def test_every_table_holds_every_row_once_in_the_bucket_of_its_sign_bits(n: int, reduced: bool):
    tables = built(n, reduced=reduced)
    bits = bits_twin(n, tables, reduced=reduced)
    for table in range(2):
        places = slice(16 * tables.offsets[table, 0], 16 * tables.offsets[table, -1])
        assert sorted(tables.order[places][tables.order[places] >= 0]) == list(range(n))
        for bucket in range(8):
            start, end = tables.offsets[table, bucket : bucket + 2]
            rows = tables.order[16 * start : 16 * end]
            assert np.all(rows[: len(rows[rows >= 0])] >= 0)
            assert 0 <= len(rows) - len(rows[rows >= 0]) < 16
            rows = rows[rows >= 0]
            assert np.all(np.diff(rows) > 0)
            wanted = [bucket >> bit & 1 for bit in range(3)]
            assert np.all(bits[rows, 3 * table : 3 * table + 3] == wanted)


@pytest.mark.parametrize("reduced", [False, True])
def test_codes_are_the_sign_bits_of_the_row_at_each_place(reduced: bool):
    n = 333
    tables = built(n, reduced=reduced)
    packed = np.packbits(bits_twin(n, tables, reduced=reduced)[:, 6:], axis=1, bitorder="little")
    for place, row in enumerate(tables.order):
        if row >= 0:
            code = tables.codes[:, place // 16, :, place % 16].reshape(-1)
            np.testing.assert_array_equal(code, packed[row])


def test_rough_copy_is_off_by_half_a_step_at_most():
    tables = built(333)
    vectors = clustered(333, DIM, skew=0.3)
    assert np.abs(tables.rough).max() == 127
    np.testing.assert_allclose(
        tables.rough * tables.step[0], vectors, atol=float(tables.step[0]) * 0.501
    )


def test_centre_is_the_mean():
    np.testing.assert_allclose(
        built(333).centre, clustered(333, DIM, skew=0.3).mean(axis=0), atol=1e-5
    )


def test_threads_change_nothing():
    for one, two in zip(built(40_000), built(40_000, threads=2), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("n", [1, 31, 32, 63, 64, 1000, 10**6, 10**8])
def test_average_buckets_hold_some_blocks_of_codes(n: int):
    shape = shape_for(n, SimHashBuild())
    least = 48 if shape.tables == 1 else 24
    assert shape.bucket_bits == 0 or least <= n / 2**shape.bucket_bits < 2 * least
    assert 1 <= shape.tables <= MOST_TABLES
    assert shape_for(n, SimHashBuild(tables=3)).tables == 3


def test_arrays_of_another_index_are_named():
    tables = built(100)
    assert check_tables(tables, SHAPE, 100, (DIM, DIM)) is None
    for name, array in tables._asdict().items():
        changed = tables._replace(**{name: array[:-1] if len(array) > 1 else array[:0]})
        assert name in str(check_tables(changed, SHAPE, 100, (DIM, DIM)))
        retyped = tables._replace(**{name: array.astype(np.float64)})
        assert "float64" in str(check_tables(retyped, SHAPE, 100, (DIM, DIM)))
