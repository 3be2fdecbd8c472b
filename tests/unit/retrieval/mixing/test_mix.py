"""What holds for every way to mix, whatever the lists."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.mixing import Calibration, Mixing, MixingRules, Pick, WeightedList, mix

ROWS = st.lists(st.integers(0, 30), unique=True, max_size=12)
LISTS = st.lists(
    st.builds(
        WeightedList, ROWS, st.floats(-2, 5, allow_nan=False).filter(lambda w: abs(w) > 1e-3)
    ),
    max_size=6,
)
LIKED = st.lists(st.builds(WeightedList, ROWS, st.floats(0.001, 5)), max_size=6)


def rules(method: Mixing, seed: int = 7) -> MixingRules:
    target = dict.fromkeys(range(4), 0.25)
    return MixingRules(method, seed, Calibration(target, lambda row: row % 5, 0.5))


def rows_of(lists: Sequence[WeightedList], picks: Sequence[Pick]) -> list[int]:
    return [lists[pick.list].rows[pick.place] for pick in picks]


@pytest.mark.parametrize("method", Mixing)
@given(lists=LISTS, n=st.integers(1, 40))
def test_each_row_is_picked_once_from_a_list_that_counts(method, lists, n):
    picks = mix(lists, n, rules(method))
    rows = rows_of(lists, picks)
    assert len(rows) == len(set(rows)) <= n
    assert all(lists[pick.list].weight > 0 for pick in picks)


@pytest.mark.parametrize("method", Mixing)
@given(lists=LIKED, n=st.integers(1, 100))
def test_nothing_is_lost_among_lists_that_are_liked(method, lists, n):
    rows = rows_of(lists, mix(lists, n, rules(method)))
    everything = {row for each in lists for row in each.rows}
    assert len(rows) == min(n, len(everything))
    assert set(rows) <= everything


@pytest.mark.parametrize("method", Mixing)
@given(lists=LISTS, n=st.integers(1, 40))
def test_scores_never_rise(method, lists, n):
    scores = [pick.score for pick in mix(lists, n, rules(method))]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("method", Mixing)
@given(lists=LIKED, n=st.integers(1, 20))
def test_a_longer_mixture_begins_as_the_shorter_one(method, lists, n):
    long = rows_of(lists, mix(lists, 100, rules(method)))
    assert rows_of(lists, mix(lists, n, rules(method))) == long[:n]


@pytest.mark.parametrize("method", [Mixing.ROUND_ROBIN, Mixing.WEIGHTED, Mixing.TEAM_DRAFT])
@given(rows=ROWS, n=st.integers(1, 20))
def test_one_list_stays_as_it_is(method, rows, n):
    lists = [WeightedList(rows)]
    assert rows_of(lists, mix(lists, n, rules(method))) == rows[:n]


@pytest.mark.parametrize("method", [Mixing.ROUND_ROBIN, Mixing.TEAM_DRAFT])
@given(lists=LISTS)
def test_what_a_disliked_list_holds_is_not_taken_by_turns(method, lists):
    rows = rows_of(lists, mix(lists, 100, rules(method)))
    disliked = {row for each in lists if each.weight < 0 for row in each.rows}
    assert not disliked & set(rows)


@given(
    lists=st.permutations(
        [WeightedList([1, 2, 3], 3), WeightedList([3, 4], 2), WeightedList([5, 1], 1)]
    )
)
@pytest.mark.parametrize("method", [Mixing.ROUND_ROBIN, Mixing.WEIGHTED])
def test_the_order_of_lists_of_different_weight_makes_no_difference(method, lists):
    usual = [WeightedList([1, 2, 3], 3), WeightedList([3, 4], 2), WeightedList([5, 1], 1)]
    expected = rows_of(usual, mix(usual, 9, rules(method)))
    assert rows_of(lists, mix(lists, 9, rules(method))) == expected


@pytest.mark.parametrize("method", Mixing)
def test_nothing_comes_of_nothing(method):
    assert mix([], 5, rules(method)) == []
    assert mix([WeightedList([])], 5, rules(method)) == []
