import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from artifacts.als_terms import AlsTerms
from artifacts.arrays import FloatMatrix, FloatVector
from artifacts.confidence import Confidence
from retrieval.fold_in import MOST_WEIGHT, fold_in

REGULARISATION = 0.7


@pytest.fixture(scope="module")
def factors():
    return np.random.default_rng(0).normal(0, 0.3, (60, 12)).astype(np.float32)


def library_vector(
    factors: FloatMatrix, items: NDArray[np.integer], confidences: FloatVector
) -> FloatVector:
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=factors.shape[1], regularization=REGULARISATION, num_threads=1
        )
        model.item_factors = factors
        row = csr_matrix(
            (confidences, (np.zeros(len(items), dtype=int), items)), shape=(1, len(factors))
        )
        return np.asarray(model.recalculate_user(0, row))


@pytest.mark.parametrize("growth", ["linear", "log"])
@pytest.mark.parametrize("taken", [1, 2, 15, 60])
def test_fold_in_equals_the_librarys_exact_solution(factors, growth, taken):
    rng = np.random.default_rng(taken)
    items = np.sort(rng.permutation(len(factors))[:taken])
    weights = rng.integers(1, 9, taken).astype(np.float32)
    wide = factors.astype(np.float64)
    terms = AlsTerms(wide.T @ wide, Confidence(6.0, growth), REGULARISATION)
    expected = library_vector(factors, items, terms.confidence.of(weights).astype(np.float32))
    np.testing.assert_allclose(fold_in(terms, factors[items], weights), expected, atol=1e-4)


def test_fold_in_does_not_depend_on_the_order_of_the_items(factors):
    terms = AlsTerms((factors.T @ factors).astype(np.float64), Confidence(2.0, "log"), 1.0)
    weights = np.array([1, 4, 2], dtype=np.float32)
    forward = fold_in(terms, factors[[3, 9, 20]], weights)
    backward = fold_in(terms, factors[[20, 9, 3]], weights[::-1])
    np.testing.assert_allclose(forward, backward, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("growth", ["linear", "log"])
@pytest.mark.parametrize("weight", [1e12, 3e38, np.inf])
def test_weight_without_measure_is_a_very_large_one(factors, growth, weight):
    terms = AlsTerms((factors.T @ factors).astype(np.float64), Confidence(2.0, growth), 0.01)
    told = np.array([weight, 1], dtype=np.float32)
    most = np.array([MOST_WEIGHT, 1], dtype=np.float32)
    found = fold_in(terms, factors[[3, 9]], told)
    np.testing.assert_array_equal(found, fold_in(terms, factors[[3, 9]], most))
    assert factors[3] @ found == pytest.approx(1.0, abs=0.1)
