from math import isnan

import numpy as np
import pytest

from benchmarks.calls import CallLog, Calls, End, Window

UNAVAILABLE = 14


def calls() -> Calls:
    """Five calls of a load that began at 100: two answered, one refused, one failed, one unsent."""
    log = CallLog(np.array([0.0, 1.0, 2.0, 3.0, 4.0]))
    for number in range(4):
        log.sent(number, 100.0 + number + 0.001)
    log.ended(0, End.ANSWERED, 100.5)
    log.ended(1, End.ANSWERED, 101.1)
    log.ended(2, End.REFUSED, 102.2)
    log.ended(3, UNAVAILABLE, 103.3)
    return log.calls(100.0)


def test_calls_are_timed_from_when_they_were_due():
    assert calls().took_s[:4] == pytest.approx([0.5, 0.1, 0.2, 0.3])
    assert calls().late_s[:4] == pytest.approx(0.001)


def test_calls_are_counted_by_their_status():
    assert calls().counts() == {"OK": 2, "UNAVAILABLE": 1, "RESOURCE_EXHAUSTED": 1, "LOST": 1}
    assert calls().failed == 3


def test_percentiles_are_those_of_answered_calls():
    assert calls().percentile_s(100) == pytest.approx(0.5)
    assert isnan(calls().due_within([Window(102, 104)]).percentile_s(50))


def test_load_with_a_call_that_was_never_sent_has_no_lateness():
    assert isnan(calls().late_p99_s())
    assert calls().due_within([Window(100, 104)]).late_p99_s() == pytest.approx(0.001)


def test_windows_choose_calls_by_when_they_were_due():
    chosen = calls().due_within([Window(100, 101), Window(103, 104)])
    assert chosen.due_s.tolist() == [0.0, 3.0]
    assert chosen.codes.tolist() == [0, UNAVAILABLE]
    assert len(calls().due_within([])) == 0
