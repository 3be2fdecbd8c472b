import numpy as np
import pytest

from benchmarks.hamming_scan import (
    BLOCK,
    Codes,
    collect_within,
    hamming_block,
    hamming_scan,
    radius,
    search_codes,
    sign_codes,
)


def made_codes(words: int, n: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2**64, (words, n), dtype=np.uint64)
    return codes, rng.integers(0, 2**64, words, dtype=np.uint64)


def hamming_twin(codes: Codes, query: Codes) -> Codes:
    distances: Codes = np.bitwise_count(codes ^ query[:, np.newaxis]).sum(axis=0, dtype=np.uint64)
    return distances  # (n,)


@pytest.mark.parametrize("words", [1, 2, 3, 4, 5, 8, 11])
def test_hamming_block_equals_numpy(words: int):
    codes, query = made_codes(words, 300)
    out = np.full(128, 7, dtype=np.uint16)
    hamming_block(codes, query, 100, out)
    np.testing.assert_array_equal(out, hamming_twin(codes, query)[100:228])


@pytest.mark.parametrize("n", [1, 100, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_collect_within_equals_numpy(n: int):
    codes, query = made_codes(2, n)
    distances = hamming_twin(codes, query)
    for limit in (0, 55, 64, 128):
        out = np.empty(n + 1, dtype=np.int32)
        count = collect_within(codes, query, limit, np.empty(BLOCK, dtype=np.uint16), out)
        np.testing.assert_array_equal(out[:count], np.flatnonzero(distances <= limit))


@pytest.mark.parametrize("n", [1, BLOCK, 3 * BLOCK + 5])
def test_scan_finds_the_first_of_the_nearest_codes(n: int):
    codes, query = made_codes(4, n)
    found = hamming_scan(codes, query)
    assert found == np.argmin(hamming_twin(codes, query))


@pytest.mark.parametrize("wanted", [1, 10, 500, 3000])
def test_radius_is_the_smallest_that_holds_the_codes_wanted(wanted: int):
    codes, query = made_codes(4, 3000)
    distances = np.sort(hamming_twin(codes, query))
    found = radius(codes, query, wanted, np.empty(BLOCK, dtype=np.uint16))
    assert found == distances[wanted - 1]


def test_radius_of_many_codes_is_estimated_from_all_parts_of_them():
    # Sorted codes: a sample from one end would be far off.
    codes, query = made_codes(4, 20 * BLOCK + 17)
    codes = np.ascontiguousarray(codes[:, np.argsort(hamming_twin(codes, query), kind="stable")])
    found = radius(codes, query, 5 * BLOCK, np.empty(BLOCK, dtype=np.uint16))
    held = int((hamming_twin(codes, query) <= found).sum())
    assert 3.5 * BLOCK < held < 7.5 * BLOCK


def test_search_widens_the_radius_until_k_codes_are_held():
    # The eight sampled blocks are all equal to the query, so the radius is 0 at first, and only
    # they lie within it.
    n = 40 * BLOCK
    codes, query = made_codes(1, n)
    vectors = np.random.default_rng(1).standard_normal((n, 2)).astype(np.float32)
    for block in range(8):
        start = (n - BLOCK) * block // 7
        codes[0, start : start + BLOCK] = query[0]
    k = 9 * BLOCK
    rows = np.empty((1, k), dtype=np.int32)
    scores = np.empty((1, k), dtype=np.float32)
    search_codes(codes, query[np.newaxis], vectors, vectors[:1], 100, np.inf, rows, scores)
    assert np.all(rows >= 0)
    assert len(np.unique(rows)) == k


def test_sign_codes_equal_shifting_one_bit_at_a_time():
    rng = np.random.default_rng(0)
    vectors, planes = (rng.standard_normal((n, 7)).astype(np.float32) for n in (20, 128))
    expected = [[0, 0] for _ in vectors]
    for i, vector in enumerate(vectors):
        for bit, plane in enumerate(planes):
            if float(np.dot(plane, vector)) > 0:
                expected[i][bit // 64] |= 1 << (bit % 64)
    assert sign_codes(vectors, planes).tolist() == expected
