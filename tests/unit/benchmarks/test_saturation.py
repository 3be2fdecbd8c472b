import numpy as np
import pytest

from benchmarks.open_loop import LoadResult
from benchmarks.saturation import Trial, find_saturation, holds, overload_goodput


def result(rate: float, good: float, late_s: float = 0.0) -> LoadResult:
    return LoadResult(rate, good, rate - good, np.array([0.001]), late_s)


def server_of(capacity: float, asked: list[float]) -> Trial:
    def trial(rate: float, seconds: float) -> LoadResult:
        asked.append(seconds)
        return result(rate, min(rate, capacity))

    return trial


@pytest.mark.parametrize("capacity", [3.0, 40.0, 777.0, 12_345.0])
def test_saturation_is_found_from_below_and_confirmed_for_the_full_time(capacity):
    asked: list[float] = []
    found = find_saturation(server_of(capacity, asked), 30)
    assert 0.85 * capacity < found.rate <= 1.02 * capacity
    assert found.is_confirmed
    assert asked[-1] == 30


def test_generator_that_is_late_measures_nothing():
    assert not holds(result(100, 100, late_s=0.01))
    assert not holds(result(100, 98))
    assert holds(result(100, 99))


def test_goodput_under_overload_pays_for_the_refusals():
    peak, refusal_s = 1_000.0, 0.0001
    served = overload_goodput(peak, refusal_s)
    assert served / peak + (3 * peak - served) * refusal_s == pytest.approx(1)
    assert overload_goodput(peak, 0.0) == peak
    assert overload_goodput(peak, 0.0005) == 0
    assert overload_goodput(peak, 0.01) == 0


def test_rate_that_never_holds_for_the_full_time_is_not_confirmed():
    def trial(rate: float, seconds: float) -> LoadResult:
        return result(rate, rate if seconds < 30 and rate < 500 else 0.0)

    assert not find_saturation(trial, 30).is_confirmed


def test_rate_may_be_held_to_another_condition():
    trial = server_of(777, [])
    found = find_saturation(trial, 30, lambda result: result.rate <= 100)
    assert 80 < found.rate <= 100
