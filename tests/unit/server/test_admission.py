import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.errors import OverloadedError
from server.admission import MARGIN, Admission
from server.load_config import AdmissionConfig


def busy(cost_s: float = 0.01, waiting: int = 0, threads: int = 1, **bounds: float) -> Admission:
    """Return an admission that knows what a search costs, with one running."""
    admission = Admission(AdmissionConfig.model_validate(bounds), threads)
    for entries in (1, 1):
        admission.enter(entries, None)
        admission.begin(entries)
        admission.end(entries, cost_s)
    admission.enter(1, None)
    admission.begin(1)
    if waiting:
        admission.enter(waiting, None)
    return admission


def test_idle_worker_takes_whatever_comes():
    admission = Admission(AdmissionConfig(max_queued=1), 1)
    admission.enter(1_000, 0.0)
    assert admission.waiting == 1_000


def test_wait_is_what_is_before_a_call_over_the_threads():
    assert busy(0.01, waiting=9).wait_s == pytest.approx(0.1)
    assert busy(0.01, waiting=9, threads=2).wait_s == pytest.approx(0.05)


def test_call_that_would_come_too_late_is_refused_and_told_when_to_come_back():
    admission = busy(0.01, waiting=9)
    with pytest.raises(OverloadedError, match="50 ms are left") as caught:
        admission.enter(1, 0.05)
    assert caught.value.retry_after_s == pytest.approx(0.1)
    assert admission.waiting == 9
    admission.enter(1, 1.0)


def test_large_call_needs_more_time_than_a_small_one():
    admission = busy(0.01)
    admission.enter(1, 0.05)
    with pytest.raises(OverloadedError):
        admission.enter(5, 0.05)


def test_full_queue_refuses_callers_of_any_patience():
    admission = busy(1e-6, waiting=9, max_queued=10)
    admission.enter(1, None)
    with pytest.raises(OverloadedError, match="10 searches wait already"):
        admission.enter(1, None)


def test_long_wait_refuses_callers_of_any_patience():
    with pytest.raises(OverloadedError, match="wait for 110 ms"):
        busy(0.01, waiting=10, max_wait_ms=100).enter(1, None)


def test_refusals_end_with_the_queue_however_dear_searches_have_become():
    admission = busy(100.0)
    with pytest.raises(OverloadedError):
        admission.enter(1, 1.0)
    admission.end(1, 100.0)
    admission.enter(1, 1.0)


def test_who_has_gone_makes_room():
    admission = busy(0.01, waiting=9)
    admission.leave(9)
    admission.enter(1, 0.05)


def test_cost_follows_what_searches_take():
    admission = busy(0.01)
    admission.end(1, 0.01)
    for _ in range(100):
        admission.enter(4, None)
        admission.begin(4)
        admission.end(4, 0.2)
    admission.enter(10, None)
    assert admission.wait_s == pytest.approx(0.5, rel=1e-3)


steps = st.lists(
    st.tuples(st.integers(1, 50), st.none() | st.floats(0, 1), st.floats(1e-5, 0.1)), max_size=100
)


@given(steps, st.integers(1, 4))
def test_whoever_is_taken_on_was_expected_in_time(history, threads):
    config = AdmissionConfig(max_queued=100, max_wait_ms=250)
    admission = Admission(config, threads)
    admission.enter(1, None)
    admission.begin(1)
    for entries, left_s, took_s in history:
        expected_s, waiting = admission.wait_s, admission.waiting
        try:
            admission.enter(entries, left_s)
        except OverloadedError as error:
            assert admission.waiting == waiting
            assert error.retry_after_s == expected_s  # noqa: PT017 - it may be taken on as well
            continue
        assert expected_s <= 0.25
        assert admission.waiting <= config.max_queued
        assert left_s is None or MARGIN * expected_s <= left_s
        admission.begin(entries)
        admission.end(entries, took_s)
    admission.end(1, 0.1)
    assert (admission.waiting, admission.running) == (0, 0)
