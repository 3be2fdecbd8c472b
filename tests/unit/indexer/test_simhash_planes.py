import numpy as np
import pytest

from indexer.backends.simhash_planes import random_frame, sign_bits
from tests.clusters import clustered


def frame(count: int, dim: int, seed: int = 3):
    return random_frame(count, dim, np.random.default_rng(seed))


@pytest.mark.parametrize("count", [0, 1, 20, 50])
def test_planes_up_to_the_dimension_are_orthonormal(count: int):
    planes = frame(count, 50)
    np.testing.assert_allclose(planes @ planes.T, np.eye(count), atol=1e-5)


@pytest.mark.parametrize("count", [50, 64, 200])
def test_more_planes_than_dimensions_keep_every_length(count: int):
    planes = frame(count, 50)
    vectors = clustered(20, 50)
    np.testing.assert_allclose(
        np.linalg.norm(vectors @ planes.T, axis=1), np.linalg.norm(vectors, axis=1), rtol=1e-4
    )


def test_planes_depend_on_the_seed_alone():
    np.testing.assert_array_equal(frame(64, 9, 1), frame(64, 9, 1))
    assert not np.array_equal(frame(64, 9, 1), frame(64, 9, 2))


def test_sign_bits_equal_one_product_at_a_time():
    vectors, planes = clustered(20, 7), frame(12, 7)
    centre = vectors.mean(axis=0)
    expected = [[float(np.dot(v - centre, p)) > 0 for p in planes] for v in vectors]
    assert sign_bits(vectors, centre, planes).tolist() == expected


def test_share_of_differing_bits_estimates_the_angle():
    # Charikar 2002, section 3: the probability that a plane parts two vectors is angle / pi.
    pair = clustered(2, 30, seed=4)
    bits = sign_bits(pair, np.zeros(30, dtype=np.float32), frame(1024, 30, 1))
    share = float((bits[0] != bits[1]).mean())
    cosine = float(pair[0] @ pair[1] / np.linalg.norm(pair[0]) / np.linalg.norm(pair[1]))
    assert abs(share - np.arccos(cosine) / np.pi) < 0.03
