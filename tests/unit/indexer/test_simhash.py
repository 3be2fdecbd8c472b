import numpy as np

from indexer.backends import build_index
from indexer.backends.simhash import SimHash, orthogonal_planes, sign_codes
from indexer.config import SimHashBuild, SimHashConfig, SimHashSearch
from indexer.index import Metric
from tests.clusters import clustered


def test_planes_are_orthonormal_within_blocks_of_the_dimension():
    planes = orthogonal_planes(192, 50, seed=3)
    assert planes.shape == (192, 50)
    for start in range(0, 192, 50):
        block = planes[start : start + 50]
        np.testing.assert_allclose(block @ block.T, np.eye(len(block)), atol=1e-5)


def test_planes_depend_on_the_seed_alone():
    np.testing.assert_array_equal(orthogonal_planes(64, 9, 1), orthogonal_planes(64, 9, 1))
    assert not np.array_equal(orthogonal_planes(64, 9, 1), orthogonal_planes(64, 9, 2))


def test_sign_codes_equal_shifting_one_bit_at_a_time():
    vectors = clustered(20, 7)
    planes = orthogonal_planes(128, 7, seed=0)
    expected = [[0, 0] for _ in vectors]
    for i, vector in enumerate(vectors):
        for bit, plane in enumerate(planes):
            if float(np.dot(plane, vector)) > 0:
                expected[i][bit // 64] |= 1 << (bit % 64)
    assert sign_codes(vectors, planes).tolist() == expected


def test_share_of_differing_bits_estimates_the_angle():
    # Charikar 2002, section 3: the probability that a plane parts two vectors is angle / pi.
    left, right = clustered(2, 30, seed=4)
    codes = sign_codes(np.stack([left, right]), orthogonal_planes(4096, 30, seed=1))
    share = int(np.bitwise_count(codes[0] ^ codes[1]).sum()) / 4096
    cosine = float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))
    assert abs(share - np.arccos(cosine) / np.pi) < 0.02


def test_codes_lie_in_columns_one_row_for_each_word():
    index = build_index(
        clustered(100),
        Metric.COSINE,
        SimHashConfig(build=SimHashBuild(bits=320)),
        seed=1,
        threads=1,
    )
    assert isinstance(index, SimHash)
    assert index.codes.shape == (5, 100)
    assert index.codes.flags.c_contiguous


def test_more_candidates_find_more():
    vectors, queries = clustered(4000, seed=1), clustered(40, seed=2)
    exact = np.argsort(-queries @ vectors.T, axis=1)[:, :10]
    recalls = []
    for candidates in (40, 200, 1000):
        config = SimHashConfig(search=SimHashSearch(rescore_min=candidates, rescore_per_mille=0.1))
        index = build_index(vectors, Metric.INNER_PRODUCT, config, seed=1, threads=1)
        rows = index.search(queries, 10).rows
        recalls.append(np.mean([np.isin(t, r).mean() for t, r in zip(exact, rows, strict=True)]))
    assert recalls == sorted(recalls)
    assert recalls[0] < recalls[2]
