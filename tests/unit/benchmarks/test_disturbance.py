import threading

import numpy as np
import pytest

from benchmarks.calls import CallLog, Calls
from benchmarks.disturbance import disturbed


def no_calls() -> Calls:
    return CallLog(np.array([0.0])).calls(0.0)


def test_it_is_done_again_and_again_while_the_load_lasts():
    done, all_done = [], threading.Event()

    def act(number: int) -> None:
        done.append(number)
        if len(done) == 3:
            all_done.set()

    def load() -> Calls:
        assert all_done.wait(30)
        return no_calls()

    calls, windows = disturbed(load, act, [0.0, 0.0, 0.0])
    assert done == [0, 1, 2]
    assert len(calls) == 1
    assert all(window.begin <= window.end for window in windows)
    assert len(windows) == 3


def test_what_is_not_begun_when_the_load_ends_is_left_out():
    calls, windows = disturbed(no_calls, lambda number: None, [3_600.0])
    assert len(calls) == 1
    assert windows == []


def test_what_fails_is_told_once_the_load_has_ended():
    acting = threading.Event()

    def act(number: int) -> None:
        acting.set()
        raise ValueError("no such snapshot")

    def load() -> Calls:
        assert acting.wait(30)
        return no_calls()

    with pytest.raises(ValueError, match="no such snapshot"):
        disturbed(load, act, [0.0])
