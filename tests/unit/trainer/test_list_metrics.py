import numpy as np
import pytest

from trainer.list_metrics import gini, novelty
from trainer.popularity_deciles import popularity_deciles


def gini_by_pairs(counts: list[int]) -> float:
    """Mean absolute difference over twice the mean."""
    values = np.array(counts, dtype=float)
    return float(np.abs(values[:, None] - values).mean() / (2 * values.mean()))


@pytest.mark.parametrize("counts", [[1, 1, 1, 1], [0, 0, 0, 9], [5, 1, 0, 2, 2, 8]])
def test_gini_is_half_the_relative_mean_difference(counts):
    assert gini(np.array(counts), len(counts)) == pytest.approx(gini_by_pairs(counts))


def test_items_that_are_no_candidates_count_as_never_listed():
    assert gini(np.array([4, 2]), 5) == pytest.approx(gini_by_pairs([4, 2, 0, 0, 0]))


def test_novelty_is_the_mean_self_information_of_listed_items():
    popularity = np.array([8, 4, 0, 1], np.int32)
    rows = np.array([0, 1, 2], np.int32)
    value = novelty(np.array([2, 1, 1]), rows, popularity, 16)
    assert value == pytest.approx((2 * 1 + 1 * 2 + 1 * 4) / 4)


def test_empty_lists_have_no_metric():
    nothing = np.zeros(3, dtype=np.int64)
    assert gini(nothing, 3) == 0
    assert novelty(nothing, np.arange(3, dtype=np.int32), np.ones(3, np.int32), 5) == 0


def test_deciles_are_tenths_of_the_known_items_by_popularity():
    popularity = np.random.default_rng(0).permutation(np.arange(57, dtype=np.int32))
    deciles = popularity_deciles(popularity)
    assert deciles[popularity == 0] == -1
    sizes = np.bincount(deciles[deciles >= 0], minlength=10)
    assert sizes.min() >= 5
    assert sizes.sum() == 56
    by_popularity = deciles[np.argsort(popularity)]
    assert (np.diff(by_popularity) >= 0).all()
