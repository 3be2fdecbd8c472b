from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from retrieval.mixing.rank_fusion import fuse_ranks
from retrieval.mixing.weighted_list import WeightedList

LISTS = st.lists(
    st.builds(
        WeightedList,
        st.lists(st.integers(0, 20), unique=True, max_size=10),
        st.sampled_from([-1.0, 0.5, 1.0, 2.0]),
    ),
    max_size=5,
)


def table(lists: Sequence[WeightedList]) -> NDArray[np.float64]:
    """Sum of weight / (60 + rank), by row of a dense table."""
    scores = np.zeros(21)
    for rows, weight in lists:
        for rank, row in enumerate(rows, start=1):
            scores[row] += weight / (60 + rank)
    return scores


@given(LISTS)
def test_scores_are_sums_over_lists(lists):
    scores = table(lists)
    picks = fuse_ranks(lists, 21)
    for pick in picks:
        assert pick.score == pytest.approx(scores[lists[pick.list].rows[pick.place]])
    assert len(picks) == np.count_nonzero(scores > 1e-12)


def test_an_item_of_two_lists_beats_the_best_of_one():
    lists = [WeightedList([1, 2]), WeightedList([3, 2])]
    rows = [lists[pick.list].rows[pick.place] for pick in fuse_ranks(lists, 3)]
    assert rows == [2, 1, 3]


def test_an_item_is_owed_to_the_list_that_adds_most():
    (best, *_) = fuse_ranks([WeightedList([4], 1), WeightedList([9, 4], 5)], 2)
    assert (best.list, best.place) == (1, 1)
    (equal,) = fuse_ranks([WeightedList([4], 1), WeightedList([4], 1)], 1)
    assert equal.list == 0


def test_dislike_takes_away():
    lists = [WeightedList([1, 2, 3]), WeightedList([1, 2], -0.5)]
    rows = [lists[pick.list].rows[pick.place] for pick in fuse_ranks(lists, 3)]
    assert rows == [3, 1, 2]
    assert fuse_ranks([WeightedList([1]), WeightedList([1], -1)], 3) == []
