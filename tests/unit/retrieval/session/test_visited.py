from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.errors import RequestError
from retrieval.queries import MAX_VISITS, Visit
from retrieval.session.config import SessionConfig
from retrieval.session.visited import visited_rows
from retrieval.session.weights import visit_weights
from tests.shop import item_id

CONFIG = SessionConfig()
FLAT = SessionConfig(half_life_visits=None, half_life_s=None)


@pytest.fixture(scope="module")
def items(tiny_snapshot):
    return tiny_snapshot.items


def visits_of(*rows: int, **settings: Any) -> list[Visit]:
    return [Visit(item_id(row), **settings) for row in rows]


def test_rows_stand_in_the_order_of_their_last_visits(items):
    visited = visited_rows(items, visits_of(3, 5, 3, 7), FLAT)
    assert visited.rows.tolist() == [5, 3, 7]
    assert visited.weights.tolist() == [1, 2, 1]
    assert visited.trail.tolist() == [3, 5, 3, 7]
    assert visited.own == (5, 3, 7)


def test_times_decide_on_the_order_where_all_carry_them(items):
    visits = [Visit(item_id(row), at_s=at) for row, at in ((1, 30.0), (2, 10.0), (3, 20.0))]
    assert visited_rows(items, visits, FLAT).trail.tolist() == [2, 3, 1]
    visits[0] = visits[0]._replace(at_s=None)
    assert visited_rows(items, visits, FLAT).trail.tolist() == [1, 2, 3]


def test_unknown_items_are_listed_once_and_weigh_nothing(items):
    visits = [Visit("x"), *visits_of(4), Visit("y"), Visit("x")]
    visited = visited_rows(items, visits, FLAT)
    assert visited.skipped == ("x", "y")
    assert visited.rows.tolist() == [4]


def test_unknown_items_still_count_as_visits_that_came_between(items):
    visited = visited_rows(items, [*visits_of(4), Visit("x"), *visits_of(5)], CONFIG)
    assert visited.weights.tolist() == pytest.approx([2 ** (-2 / 3), 1])


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(-5, 5)), min_size=1, max_size=40))
def test_weights_of_a_row_add_up(items, pairs):
    visits = [Visit(item_id(row), weight=weight) for row, weight in pairs]
    visited = visited_rows(items, visits, CONFIG)
    each = visit_weights(visits, CONFIG)
    for row, weight in zip(visited.rows, visited.weights, strict=True):
        mine = [w for (r, _), w in zip(pairs, each, strict=True) if r == row]
        assert weight == pytest.approx(sum(mine), abs=1e-9)
    np.testing.assert_array_equal(visited.trail_weights, each)


def test_the_heaviest_of_both_kinds_keep_the_order_of_visits(items):
    weights = [1, 5, 0, -9, 3, 3, -1]
    visits = [Visit(item_id(row), weight=weight) for row, weight in enumerate(weights)]
    visited = visited_rows(items, visits, FLAT)
    assert visited.heaviest(1).tolist() == [1, 3]
    assert visited.heaviest(2).tolist() == [1, 3, 5, 6]
    assert visited.heaviest(9).tolist() == [0, 1, 3, 4, 5, 6]


def test_lots_depend_on_the_items_and_their_order_alone(items):
    seeds = {
        visited_rows(items, visits_of(*rows), config).seed
        for rows, config in (((1, 2), CONFIG), ((1, 2), FLAT), ((2, 1), CONFIG), ((12,), CONFIG))
    }
    assert len(seeds) == 3


@pytest.mark.parametrize(
    ("visits", "field", "reason"),
    [
        (visits_of(*[1] * (MAX_VISITS + 1)), "visits", "VISIT_COUNT_OUT_OF_RANGE"),
        ([Visit("a"), Visit("")], "visits[1].item_id", "EMPTY_ID"),
        ([Visit("a", weight=float("nan"))], "visits[0].weight", "NOT_FINITE"),
        ([Visit("a"), Visit("b", weight=float("-inf"))], "visits[1].weight", "NOT_FINITE"),
    ],
)
def test_mistakes_name_their_field(items, visits, field, reason):
    with pytest.raises(RequestError) as caught:
        visited_rows(items, visits, CONFIG)
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_the_largest_weights_stay_finite(items):
    visits = visits_of(*[1] * MAX_VISITS, weight=float(np.finfo(np.float32).max))
    assert np.isfinite(visited_rows(items, visits, FLAT).weights).all()
