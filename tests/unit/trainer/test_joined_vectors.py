import numpy as np
import pytest
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, unit_rows
from trainer.joined_vectors import Matrices, joined_vectors
from trainer.softmax_config import SoftmaxConfig


def models(count: int) -> list[Matrices]:
    rng = np.random.default_rng(3)
    return [(normal(rng), normal(rng)) for _ in range(count)]


def normal(rng: np.random.Generator) -> FloatMatrix:
    return rng.standard_normal((7, 4), dtype=np.float32)


def score(model: Matrices, both_ways: float, likeness: float) -> NDArray[np.float64]:
    vectors, outputs = (side.astype(np.float64) for side in model)
    unit = unit_rows(model[0]).astype(np.float64)
    scores: NDArray[np.float64] = (
        vectors @ outputs.T + both_ways * outputs @ vectors.T + likeness * unit @ unit.T
    )
    return scores


@pytest.mark.parametrize("both_ways", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("likeness", [0.0, 2.5])
@pytest.mark.parametrize("count", [1, 3])
def test_inner_products_are_the_mean_score_of_the_models(both_ways, likeness, count):
    settings = SoftmaxConfig(both_ways=both_ways, likeness=likeness)
    asking, asked = joined_vectors(models(count), settings)
    expected = np.mean([score(one, both_ways, likeness) for one in models(count)], axis=0)
    np.testing.assert_allclose(asking @ asked.T, expected, rtol=1e-4, atol=1e-5)
    parts = 1 + (both_ways > 0) + (likeness > 0)
    assert asking.shape == asked.shape == (7, count * parts * 4)
    assert asking.dtype == asked.dtype == np.float32


def test_one_model_asked_one_way_is_left_as_it_is():
    (model,) = models(1)
    for side, kept in zip(model, joined_vectors([model], SoftmaxConfig()), strict=True):
        np.testing.assert_array_equal(side, kept)
