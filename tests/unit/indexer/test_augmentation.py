import numpy as np

from indexer.augmentation import augment_queries, augment_vectors
from tests.clusters import clustered


def test_augmented_vectors_are_of_unit_length():
    augmented = augment_vectors(clustered(50, 6, skew=1.0))
    assert augmented.shape == (50, 7)
    np.testing.assert_allclose(np.linalg.norm(augmented, axis=1), 1, rtol=1e-5)


def test_augmented_cosines_order_as_inner_products():
    vectors, queries = clustered(200, 6, skew=1.0, seed=1), clustered(10, 6, seed=2)
    cosines = augment_queries(queries) @ augment_vectors(vectors).T
    np.testing.assert_array_equal(
        np.argsort(-cosines, axis=1), np.argsort(-(queries @ vectors.T), axis=1)
    )


def test_zero_vectors_stay_finite():
    assert not augment_vectors(np.zeros((3, 4), dtype=np.float32)).any()
    mixed = augment_vectors(np.array([[0, 0], [3, 4]], dtype=np.float32))
    np.testing.assert_allclose(mixed, [[0.0, 0.0, 1.0], [0.6, 0.8, 0.0]], atol=1e-6)
