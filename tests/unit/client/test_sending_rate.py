import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfmate.client.sending_rate import BETA, FORGOTTEN_S, SLOWEST, SendingRate


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def sent_steadily(rate: SendingRate, clock: Clock, per_second: float, seconds: float) -> None:
    """Send and get answers, as fast as wanted and allowed."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now += max(1 / per_second, rate.take())
        rate.answered()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rate(clock) -> SendingRate:
    return SendingRate(clock)


def test_nothing_is_held_up_before_the_first_refusal(rate, clock):
    assert [rate.take() for _ in range(1_000)] == [0.0] * 1_000
    sent_steadily(rate, clock, 500, 2)
    assert rate.per_second == math.inf


def test_refusal_leaves_a_share_of_the_measured_rate(rate, clock):
    sent_steadily(rate, clock, 200, 5)
    rate.refused()
    assert rate.per_second == pytest.approx(BETA * 200, rel=0.05)


def test_refusal_before_anything_was_measured_does_not_stop_the_client(rate, clock):
    clock.now = 1_000.25
    for _ in range(100):
        rate.answered()
    rate.refused()
    assert rate.per_second >= BETA * 100


def test_calls_that_wait_do_so_in_order_and_as_far_apart_as_the_rate_says(rate, clock):
    sent_steadily(rate, clock, 100, 5)
    rate.refused()
    waits = [rate.take() for _ in range(200)]
    late = [wait for wait in waits if wait > 0]
    gaps = [after - before for before, after in pairwise(late)]
    assert late
    assert gaps == pytest.approx([1 / rate.per_second] * len(gaps))


def test_rate_comes_back_and_goes_beyond(rate, clock):
    sent_steadily(rate, clock, 100, 5)
    rate.refused()
    low = rate.per_second
    plateau_s = (100 * (1 - BETA) / 0.4) ** (1 / 3)
    sent_steadily(rate, clock, 100, plateau_s)
    assert low < rate.per_second <= 110
    sent_steadily(rate, clock, 1_000, 10)
    assert rate.per_second > 110


def test_refusals_in_a_row_bring_it_further_down_but_never_to_a_halt(rate, clock):
    sent_steadily(rate, clock, 100, 5)
    rates = []
    for _ in range(40):
        rate.refused()
        rates.append(rate.per_second)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == SLOWEST


def test_refusal_is_forgotten_some_day(rate, clock):
    sent_steadily(rate, clock, 100, 5)
    rate.refused()
    clock.now += FORGOTTEN_S
    rate.answered()
    assert rate.take() == 0.0
    assert rate.per_second == math.inf


@given(st.lists(st.tuples(st.sampled_from(["take", "answered", "refused"]), st.floats(0, 5))))
def test_wait_is_finite_and_the_rate_stays_above_its_floor(steps):
    clock = Clock()
    rate = SendingRate(clock)
    for step, seconds in steps:
        clock.now += seconds
        wait = getattr(rate, step)()
        assert wait is None or 0.0 <= wait < math.inf
        assert rate.per_second >= SLOWEST
