from hypothesis import given
from hypothesis import strategies as st

from server.restarts import HOPELESS, LONGEST_S, STEADY_S, Restarts


def test_first_death_is_answered_at_once_and_later_ones_after_doubling_pauses():
    restarts = Restarts()
    assert [restarts.died(1.0) for _ in range(5)] == [0.0, 0.2, 0.4, 0.8, 1.6]


def test_steady_service_makes_the_next_death_a_first_one():
    restarts = Restarts()
    for _ in range(4):
        restarts.died(1.0)
    assert restarts.died(STEADY_S) == 0.0


def test_deaths_at_start_in_a_row_are_hopeless_and_one_that_served_is_not():
    restarts = Restarts()
    for _ in range(HOPELESS - 1):
        restarts.died(None)
    assert not restarts.hopeless
    restarts.died(0.1)
    assert not restarts.hopeless
    for _ in range(HOPELESS):
        restarts.died(None)
    assert restarts.hopeless


@given(st.lists(st.none() | st.floats(0, STEADY_S, exclude_max=True), min_size=2, max_size=200))
def test_pauses_never_shrink_while_nothing_serves_steadily(deaths):
    restarts = Restarts()
    pauses = [restarts.died(served_s) for served_s in deaths]
    assert pauses == sorted(pauses)
    assert pauses[-1] <= LONGEST_S
