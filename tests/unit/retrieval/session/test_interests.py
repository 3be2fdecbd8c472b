"""Ward's method against scipy's, and what an interest is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, ward

from artifacts.arrays import FloatMatrix, IntVector, unit_rows
from retrieval.session.interests import find_interests
from tests.clusters import clustered


def made(m: int, seed: int) -> FloatMatrix:
    return unit_rows(clustered(m, 8, clusters=4, seed=seed))


def groups(labels: IntVector) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels)}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("distance", [0.0, 0.3, 0.7, 1.0, 1.5, 4.0])
def test_clusters_are_those_of_wards_method(seed, distance):
    vectors = made(3 + 5 * seed, seed)
    found = find_interests(vectors, np.ones(len(vectors)), most=100, distance=distance)
    expected = fcluster(ward(vectors.astype(np.float64)), distance, criterion="distance")
    assert {frozenset(interest.members) for interest in found} == groups(expected)


@given(st.integers(1, 25), st.integers(0, 100), st.floats(0, 3), st.integers(1, 5))
def test_interests_share_the_visits_out(m, seed, distance, most):
    vectors = made(m, seed)
    weights = np.random.default_rng(seed).uniform(0.1, 3, m)
    found = find_interests(vectors, weights, most=most, distance=distance)
    members = [place for interest in found for place in interest.members]
    assert len(members) == len(set(members))
    assert 1 <= len(found) <= most
    assert [i.weight for i in found] == sorted((i.weight for i in found), reverse=True)
    for interest in found:
        assert interest.medoid in interest.members
        assert interest.weight == pytest.approx(weights[list(interest.members)].sum())


@pytest.mark.parametrize("seed", range(5))
def test_the_medoid_is_nearest_to_the_other_members(seed):
    vectors = made(20, seed)
    for interest in find_interests(vectors, np.ones(20), most=9, distance=1.2):
        own = vectors[list(interest.members)].astype(np.float64)
        sums = ((own[:, None] - own[None, :]) ** 2).sum(axis=(1, 2))
        place = interest.members.index(interest.medoid)
        assert sums[place] == pytest.approx(sums.min(), rel=1e-6)


def test_one_item_is_one_interest():
    (interest,) = find_interests(made(1, 0), np.array([2.5]), most=3, distance=1.0)
    assert interest == (0, (0,), 2.5)


def test_equal_items_are_one_interest():
    vectors = np.repeat(made(1, 0), 4, axis=0)
    (interest,) = find_interests(vectors, np.ones(4), most=3, distance=0.01)
    assert interest.members == (0, 1, 2, 3)
