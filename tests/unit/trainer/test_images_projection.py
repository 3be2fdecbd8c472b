import numpy as np
import pytest

from artifacts.arrays import unit_rows
from artifacts.errors import DataError
from tests.clusters import clustered
from trainer.projection import Projection, principal_components


def by_singular_values(features: np.ndarray, dimensions: int) -> np.ndarray:
    """The plain twin: whitened principal components from the features themselves."""
    unit = unit_rows(features).astype(np.float64)
    centred = unit - unit.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    variances = singular**2 / len(features)
    ridge = variances.sum() / min(len(features) - 1, features.shape[1])
    kept = min(dimensions, int((variances > 1e-9).sum()))
    scores = centred @ directions[:kept].T / np.sqrt(variances[:kept] + ridge)
    return scores / np.linalg.norm(scores, axis=1, keepdims=True)


@pytest.mark.parametrize(("n", "dimensions"), [(300, 10), (300, 24), (12, 5), (12, 24)])
def test_cosines_are_those_of_the_plain_twin(n, dimensions):
    features = clustered(n)
    ours = principal_components([features], dimensions).apply(features)
    theirs = by_singular_values(features, dimensions)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=2e-4)


def test_vectors_have_length_one_and_components_on_average():
    features = clustered(200)
    projection = principal_components([features], 10)
    lengths = np.linalg.norm(projection.apply(features), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)
    squares = np.square(projection.components).sum(axis=0)
    np.testing.assert_allclose(squares.mean(), 1, atol=1e-5)


def test_blocks_make_no_difference():
    features = clustered(200)
    whole = principal_components([features], 10)
    parts = principal_components([features[:7], features[7:150], features[150:]], 10)
    np.testing.assert_allclose(parts.components, whole.components, atol=1e-4)
    np.testing.assert_allclose(parts.offset, whole.offset, atol=1e-4)


def test_two_runs_give_the_same_bytes():
    features = clustered(200)
    one, two = (principal_components([features], 10) for _ in range(2))
    assert one.components.tobytes() == two.components.tobytes()


def test_the_length_of_features_does_not_matter():
    features = clustered(100)
    projection = principal_components([features], 10)
    longer = projection.apply(features * np.float32(7))
    np.testing.assert_allclose(longer, projection.apply(features), atol=1e-5)


def test_as_many_pictures_as_dimensions_do_not_become_equally_far_apart():
    features = clustered(20, clusters=2)
    vectors = principal_components([features], 100).apply(features)
    cosines = (vectors @ vectors.T)[np.triu_indices(20, 1)]
    assert vectors.shape[1] == 19
    assert np.ptp(cosines) > 0.3


def test_one_picture_has_one_direction():
    projection = principal_components([clustered(1)], 10)
    np.testing.assert_allclose(np.abs(projection.apply(clustered(1))), [[1.0]], atol=1e-6)


def test_pictures_that_are_all_alike_are_alike_afterwards():
    features = np.repeat(clustered(1), 30, axis=0)
    vectors = principal_components([features], 10).apply(features)
    np.testing.assert_allclose(vectors @ vectors.T, 1, atol=1e-5)


def test_without_features_there_is_nothing_to_fit():
    with pytest.raises(DataError, match="at least one row"):
        principal_components([], 10)


def test_a_projection_survives_its_folder(tmp_path):
    features = clustered(50)
    projection = principal_components([features], 10)
    projection.save(tmp_path)
    opened = Projection.open(tmp_path)
    np.testing.assert_array_equal(opened.apply(features), projection.apply(features))
