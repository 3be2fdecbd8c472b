import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from retrieval.effort import Effort
from server.brown_out import BrownOut
from server.load_config import BrownOutConfig

CONFIG = BrownOutConfig(above_ms=20, below_ms=5, patience_s=0.5, calm_s=5)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def make(config: BrownOutConfig = CONFIG) -> tuple[BrownOut, Clock]:
    clock = Clock()
    return BrownOut(config, clock), clock


def pass_time(brown_out: BrownOut, clock: Clock, seconds: float, waited_s: float) -> list[Effort]:
    """Let searches wait equally long, every eighth of a second."""
    efforts = []
    for _ in range(round(seconds * 8)):
        clock.now += 0.125
        brown_out.observe(waited_s)
        efforts.append(brown_out.effort(idle=False))
    return efforts


def test_load_that_lasts_steps_down_one_level_at_a_time():
    brown_out, clock = make()
    efforts = pass_time(brown_out, clock, 2, waited_s=0.05)
    assert efforts[:4] == [Effort.FULL] * 4
    assert efforts[4:8] == [Effort.FAST] * 4
    assert efforts[8:] == [Effort.LISTS] * 8


def test_burst_that_is_over_before_patience_is_changes_nothing():
    brown_out, clock = make()
    for _ in range(20):
        pass_time(brown_out, clock, 0.375, waited_s=0.05)
        assert pass_time(brown_out, clock, 0.125, waited_s=0.01) == [Effort.FULL]


def test_calm_that_lasts_steps_up_one_level_at_a_time():
    brown_out, clock = make()
    pass_time(brown_out, clock, 2, waited_s=0.05)
    efforts = pass_time(brown_out, clock, 11, waited_s=0.001)
    assert efforts[:40] == [Effort.LISTS] * 40
    assert efforts[40:80] == [Effort.FAST] * 40
    assert efforts[80:] == [Effort.FULL] * 8


def test_between_the_thresholds_nothing_moves():
    brown_out, clock = make()
    pass_time(brown_out, clock, 1, waited_s=0.05)
    assert set(pass_time(brown_out, clock, 60, waited_s=0.01)) == {Effort.FAST}


def test_server_without_any_search_recovers_by_itself():
    brown_out, clock = make()
    pass_time(brown_out, clock, 2, waited_s=0.05)
    assert brown_out.effort(idle=True) is Effort.LISTS
    clock.now += 5
    assert brown_out.effort(idle=True) is Effort.FAST
    clock.now += 5
    assert brown_out.effort(idle=True) is Effort.FULL


def test_brown_out_that_is_off_never_lowers_anything():
    brown_out, clock = make(BrownOutConfig(enabled=False))
    assert set(pass_time(brown_out, clock, 60, waited_s=9.0)) == {Effort.FULL}


def test_thresholds_in_the_wrong_order_are_refused():
    with pytest.raises(ValidationError, match="below_ms"):
        BrownOutConfig(above_ms=5, below_ms=5)


events = st.tuples(
    st.floats(0, 2), st.none() | st.floats(0, 0.1)
)  # seconds passed, and how long a search waited; None: none came


@given(st.lists(events, max_size=200))
def test_levels_are_left_one_by_one_and_not_before_their_time(history):
    brown_out, clock = make()
    effort, changed_at = Effort.FULL, -1e9
    for seconds, waited_s in history:
        clock.now += seconds
        if waited_s is not None:
            brown_out.observe(waited_s)
        now = brown_out.effort(idle=waited_s is None)
        assert abs(now - effort) <= 1
        if now is not effort:
            least = CONFIG.patience_s if now > effort else CONFIG.calm_s
            assert clock.now - changed_at >= least - 1e-9
            effort, changed_at = now, clock.now


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 0.02)), max_size=200))
def test_without_load_nothing_is_ever_lowered(history):
    brown_out, clock = make()
    for seconds, waited_s in history:
        clock.now += seconds
        brown_out.observe(waited_s)
        assert brown_out.effort(idle=False) is Effort.FULL
