from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from artifacts.embeddings import EmbeddingTable
from artifacts.relation import Relation
from retrieval.session.mean_vector import mean_vector

RNG = np.random.default_rng(5)
ROWS = np.array([0, 2, 4, 6, 8], dtype=np.int32)
TABLE = EmbeddingTable("cf", ROWS, RNG.normal(size=(5, 6)).astype(np.float32) * 3)


def mean(
    rows: Sequence[int],
    weights: Sequence[float],
    relation: Relation = Relation.CONTINUATIONS,
) -> Any:
    return mean_vector(TABLE, np.array(rows, dtype=np.int32), np.array(weights, float), relation)


def test_continuations_ask_with_the_mean_of_the_vectors():
    vectors = TABLE.vectors[[1, 3]]
    np.testing.assert_allclose(mean([2, 6], [3, 1]), (3 * vectors[0] + vectors[1]) / 4, rtol=1e-6)


def test_alternatives_ask_with_the_mean_of_the_directions():
    units = TABLE.vectors / np.linalg.norm(TABLE.vectors, axis=1, keepdims=True)
    expected = (3 * units[1] - units[3]) / 4
    np.testing.assert_allclose(
        mean([2, 6], [3, -1], Relation.ALTERNATIVES), expected, rtol=1e-5, atol=1e-7
    )


def test_items_without_a_vector_are_passed_over():
    np.testing.assert_array_equal(mean([2, 3, 6], [3, 9, 1]), mean([2, 6], [3, 1]))


@pytest.mark.parametrize(
    ("rows", "weights"),
    [([], []), ([1, 3], [1, 1]), ([2], [-1]), ([2], [0]), ([3, 2], [1, -1]), ([2, 2], [1, -1])],
)
def test_nothing_is_asked_where_nothing_is_liked(rows, weights):
    assert mean(rows, weights) is None


def test_the_size_of_all_weights_together_makes_no_difference():
    np.testing.assert_allclose(mean([2, 6], [3e9, -1e9]), mean([2, 6], [3, -1]), rtol=1e-6)
