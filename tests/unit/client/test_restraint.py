import pytest

from shelfmate.client.restraint import (
    ATTEMPT_COSTS,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    MOST_ATTEMPTS,
    QUOTA,
    Restraint,
)


@pytest.fixture
def restraint() -> Restraint:
    return Restraint(lambda: 1_000.0, lambda: 0.5)


def test_call_is_sent_at_once_while_nothing_is_shed(restraint):
    assert restraint.wait_s(0.0) == 0.0


def test_pause_is_at_least_what_the_server_asked_for(restraint):
    assert restraint.again_s(1, asked_s=2.0) == pytest.approx(3.0)


def test_pause_doubles_with_each_attempt(restraint):
    first, second = restraint.again_s(1, 0.0), restraint.again_s(2, 0.0)
    assert (first, second) == (1.5 * FIRST_PAUSE_S, 3 * FIRST_PAUSE_S)
    assert first < LONGEST_PAUSE_S


def test_call_is_given_up_after_its_last_attempt(restraint):
    assert restraint.again_s(MOST_ATTEMPTS, 0.0) is None


def test_attempts_stop_while_most_calls_fail_and_answers_pay_for_more(restraint):
    affordable = int(QUOTA / ATTEMPT_COSTS)
    assert all(restraint.again_s(1, 0.0) is not None for _ in range(affordable))
    assert restraint.again_s(1, 0.0) is None
    for _ in range(int(ATTEMPT_COSTS)):
        restraint.answered()
    assert restraint.again_s(1, 0.0) is not None


def test_call_whose_turn_comes_too_late_is_not_sent_and_takes_nobody_s_place(restraint):
    for _ in range(50):
        restraint.again_s(MOST_ATTEMPTS, 0.0)
    waits = [restraint.wait_s(1_000.0) for _ in range(3)]
    assert restraint.wait_s(0.001) is None
    after = restraint.wait_s(1_000.0)
    assert after is not None
    assert after - waits[-1] == pytest.approx(waits[-1] - waits[-2])


def test_server_that_drains_slows_nobody_down(restraint):
    assert restraint.again_s(1, asked_s=0.1, shed=False) == pytest.approx(0.15)
    assert restraint.wait_s(0.0) == 0.0
    assert restraint.again_s(MOST_ATTEMPTS, 0.0, shed=False) is None


def test_nothing_is_sent_again_once_the_client_is_closed(restraint):
    restraint.end()
    assert restraint.again_s(1, 0.0) is None
