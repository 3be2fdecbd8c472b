import pytest

from artifacts.errors import DeadlineError
from retrieval.deadline import Deadline


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_deadline_passes_when_its_moment_comes():
    clock = Clock()
    deadline = Deadline(2.0, clock=clock)
    assert (deadline.left_s, deadline.passed) == (2.0, False)
    deadline.check("search")
    clock.now_s = 2.0
    assert (deadline.left_s, deadline.passed) == (0.0, True)
    with pytest.raises(DeadlineError, match="passed before `search`"):
        deadline.check("search")


def test_deadline_without_a_moment_never_passes():
    deadline = Deadline.after(None)
    assert (deadline.left_s, deadline.passed) == (None, False)


def test_caller_who_has_gone_wants_nothing_any_more():
    deadline = Deadline()
    deadline.cancel()
    assert deadline.passed
    with pytest.raises(DeadlineError, match="the caller has gone; `search`"):
        deadline.check("search")
