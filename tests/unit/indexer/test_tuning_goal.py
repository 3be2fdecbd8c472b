import pytest

from artifacts.accuracy import Accuracy
from indexer.target_config import TargetConfig
from indexer.tuning.goal import Goal, Measured, goal_of

SLOW_GOOD, FAST_GOOD = Measured(0.97, 2e-3), Measured(0.951, 1e-3)
BAD, WORSE = Measured(0.9, 1e-4), Measured(0.5, 1e-5)


def test_recall_is_reached_as_fast_as_possible_or_else_missed_by_little():
    goal = Goal(0.95, None)
    ranked = sorted([WORSE, SLOW_GOOD, BAD, FAST_GOOD], key=goal.cost)
    assert ranked == [FAST_GOOD, SLOW_GOOD, BAD, WORSE]
    assert [goal.reached(one) for one in ranked] == [True, True, False, False]


def test_time_is_spent_on_recall_or_else_exceeded_by_little():
    goal = Goal(None, 0.5e-3)
    ranked = sorted([SLOW_GOOD, WORSE, FAST_GOOD, BAD], key=goal.cost)
    assert ranked == [BAD, WORSE, FAST_GOOD, SLOW_GOOD]
    assert [goal.reached(one) for one in ranked] == [True, True, False, False]


@pytest.mark.parametrize(
    ("recall", "aims"), [(0.95, (0.9, 0.95, 0.9875)), (0.99, (0.98, 0.99, 0.9975)), (1, (1, 1, 1))]
)
def test_levels_miss_more_or_less_than_the_target(recall: float, aims: tuple[float, ...]):
    target = TargetConfig(recall=recall)
    assert [goal_of(target, level).recall for level in Accuracy] == pytest.approx(list(aims))


def test_levels_take_half_or_twice_the_time():
    target = TargetConfig(latency_ms=3)
    assert [goal_of(target, level).seconds for level in Accuracy] == [1.5e-3, 3e-3, 6e-3]


def test_aim_lies_a_standard_error_above_what_is_wanted():
    assert goal_of(TargetConfig(recall=0.9), Accuracy.BALANCED, error=0.005).recall == (
        pytest.approx(0.903)
    )
    assert goal_of(TargetConfig(recall=1), Accuracy.BALANCED, error=0.005).recall == 1


def test_where_memory_alone_is_limited_the_usual_recall_is_wanted():
    assert goal_of(TargetConfig(memory_mb=5), Accuracy.BALANCED).recall == 0.95
