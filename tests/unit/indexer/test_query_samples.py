import numpy as np
import pytest

from indexer.query_samples import even_sample, visited_sample


@pytest.mark.parametrize(("n", "size", "drawn"), [(10, 4, 4), (3, 200, 3)])
def test_an_even_sample_holds_no_item_twice_and_weighs_all_alike(n: int, size: int, drawn: int):
    sample = even_sample(n, size, np.random.default_rng(1))
    assert len(set(sample.places.tolist())) == drawn
    assert sample.weights == pytest.approx(np.full(drawn, 1 / drawn))


def test_a_mean_over_visited_items_is_the_mean_over_visits():
    """The oracle is the mean of all items, each as often as it was visited."""
    rng = np.random.default_rng(2)
    popularity = (rng.pareto(1.1, 500) * 10).astype(np.int32)
    values = rng.random(500)
    sample = visited_sample(popularity, 20_000, rng)
    assert sample is not None
    assert sample.weights.sum() == pytest.approx(1)
    expected = np.average(values, weights=popularity)
    assert values[sample.places] @ sample.weights == pytest.approx(expected, abs=0.01)


def test_what_was_never_visited_is_never_drawn():
    popularity = np.array([0, 5, 0, 1], dtype=np.int32)
    sample = visited_sample(popularity, 1000, np.random.default_rng(3))
    assert sample is not None
    assert sample.places.tolist() == [1, 3]


def test_there_is_no_sample_of_visits_where_there_were_none():
    assert visited_sample(np.zeros(4, dtype=np.int32), 10, np.random.default_rng(4)) is None
