"""What is looked for: the fastest at a recall, or the best recall within a time."""

from dataclasses import dataclass
from math import inf, sqrt

from artifacts.accuracy import Accuracy
from indexer.target_config import DEFAULT_RECALL, TargetConfig

MISSES = {Accuracy.FAST: 2.0, Accuracy.BALANCED: 1.0, Accuracy.ACCURATE: 0.25}
"""Neighbours that a level may miss, as a multiple of what the target may: of 0.95 are made 0.90 and
0.9875."""

TIMES = {Accuracy.FAST: 0.5, Accuracy.BALANCED: 1.0, Accuracy.ACCURATE: 2.0}
"""Time of a level, as a multiple of the target's."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one search of one index reached: a recall, and seconds a query."""

    recall: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Goal:
    """The aim of one accuracy level; one of the two is None.

    Attributes:
        recall: to be reached, as fast as possible.
        seconds: that a query may take, for the best recall.
    """

    recall: float | None
    seconds: float | None

    def reached(self, measured: Measured) -> bool:
        """Tell whether a search keeps to the aim."""
        if self.recall is not None:
            return measured.recall >= self.recall
        return measured.seconds <= (self.seconds or inf)

    def cost(self, measured: Measured) -> tuple[bool, float, float]:
        """Return what orders searches, the best one lowest."""
        missed = not self.reached(measured)
        by_recall, by_time = -measured.recall, measured.seconds
        if (self.recall is not None) is missed:
            return missed, by_recall, by_time  # what cannot be reached is to be missed by little
        return missed, by_time, by_recall


def goal_of(target: TargetConfig, level: Accuracy, error: float = 0.0) -> Goal:
    """Return the aim of a level.

    Args:
        target: what is wanted of the level in the middle.
        level: the level.
        error: standard error of a measured recall of one half. The aim lies one standard error
            above what is wanted, so that a promise is not kept by luck alone.
    """
    if target.latency_ms is not None:
        return Goal(None, target.latency_ms / 1e3 * TIMES[level])
    wanted = target.recall or DEFAULT_RECALL
    aim = max(1 - MISSES[level] * (1 - wanted), 0.0)
    return Goal(min(aim + 2 * error * sqrt(aim * (1 - aim)), 1.0), None)
