import numpy as np
import pytest

from benchmarks.arrivals import Arrivals, Step, due_times

STEPS = (Step(10, 3), Step(100, 2))


@pytest.mark.parametrize("arrivals", Arrivals)
def test_each_step_has_its_calls_in_its_time(arrivals):
    due_s = due_times(STEPS, arrivals, seed=1)
    assert np.all(np.diff(due_s) >= 0)
    assert ((due_s >= 0) & (due_s < 3)).sum() == 30
    assert ((due_s >= 3) & (due_s < 5)).sum() == 200


def test_constant_calls_are_evenly_apart():
    gaps = np.diff(due_times([Step(4, 5)], Arrivals.CONSTANT, seed=1))
    assert gaps == pytest.approx(0.25)


def test_gaps_of_a_poisson_process_scatter_as_much_as_they_last():
    gaps = np.diff(due_times([Step(1_000, 20)], Arrivals.POISSON, seed=3))
    assert gaps.mean() == pytest.approx(0.001, rel=0.05)
    assert gaps.std() == pytest.approx(0.001, rel=0.05)


def test_times_repeat_with_their_seed():
    first, again, other = (due_times(STEPS, Arrivals.POISSON, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_slowest_load_has_one_call():
    assert len(due_times([Step(0.1, 1)], Arrivals.POISSON, seed=1)) == 1
