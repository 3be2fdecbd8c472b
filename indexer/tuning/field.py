"""All indices that were built for one target, and which of them leads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from indexer.tuning.contender import Best, Contender
from indexer.tuning.exam import Clock
from indexer.tuning.families import Family
from indexer.tuning.goal import Goal, Measured
from indexer.tuning.report import Trial

KEPT = 3
"""Indices kept in memory for the last comparison."""
CLOSE = 1.2
"""Times the best, within which others are timed again beside it."""
LAST_PASSES = 5
PROMISING = 1.4
"""Times the best, within which a kind may come out first in another size."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An index with its best search; the lowest cost wins."""

    contender: Contender
    best: Best
    cost: tuple[bool, bool, float, float]

    def trial(self) -> Trial:
        """Return the line of the report."""
        size = self.contender.size
        return Trial(
            vectors=len(self.contender.index),
            backend=self.contender.config(self.best),
            recall=self.best.measured.recall,
            query_us=self.best.measured.seconds * 1e6,
            build_s=self.contender.build_s,
            size_mb=None if size is None else size / 1e6,
        )


@dataclass(slots=True)
class Field:
    """Takes contenders one by one.

    Attributes:
        goal: what they are measured by.
        memory_mb: that an index may have; None for any.
        time_s: after which no further index is built.
        clock: seconds since some moment.
        kept: indices that are held in memory.
        begun: when the first one was asked for.
        standings: the best so far, best first.
        trials: all of them, in order.
        passed_over: what was not built, and why.
        expected_s: seconds that a build of a family is expected to take, by its name.
    """

    goal: Goal
    memory_mb: float | None
    time_s: float
    clock: Clock
    kept: int = KEPT
    begun: float = field(init=False)
    standings: list[Standing] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    expected_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.begun = self.clock()

    @property
    def leader(self) -> Standing:
        """The best so far."""
        return self.standings[0]

    def note(self, pilot: "Field", dropped: Sequence[str], growth: float) -> None:
        """Take over what a first look at a sample found.

        Args:
            pilot: its contenders.
            dropped: what is not worth building over all vectors, and why.
            growth: how many times as many vectors there are.
        """
        self.trials += pilot.trials
        self.passed_over += dropped
        for standing in pilot.standings:
            name = standing.contender.family.name
            self.expected_s[name] = standing.contender.build_s * growth

    def has_time_for(self, family: Family) -> bool:
        """Tell whether a build may begin; the first one always may."""
        left = self.begun + self.time_s - self.clock()
        if not self.standings or self.expected_s.get(family.name, 0.0) <= left:
            return True
        build = family.config.model_dump(exclude={"search"})
        self.passed_over.append(f"{family.name} {build}: no time left")
        return False

    def enter(self, contender: Contender) -> None:
        """Measure a contender, and keep it if it is among the best."""
        standing = self.judged(contender, contender.best(self.goal), self.goal)
        self.expected_s[contender.family.name] = contender.build_s
        self.trials.append(standing.trial())
        self.standings.append(standing)
        self.standings.sort(key=lambda one: one.cost)
        del self.standings[self.kept :]

    def final(self) -> Standing:
        """Return the winner; those close to each other are timed again in turn.

        A slow moment of the machine strikes one measurement, but not one in each of five rounds.
        """
        if self.goal.recall is None:
            return self.leader
        close = self._within(CLOSE)
        if len(close) == 1:
            return self.leader
        rounds = [[_seconds(one) for one in close] for _ in range(LAST_PASSES)]
        again = [
            self.judged(one.contender, _timed(one.best, median(times)), self.goal)
            for one, times in zip(close, zip(*rounds, strict=True), strict=True)
        ]
        return min(again, key=lambda one: one.cost)

    def promising(self) -> list[Family]:
        """Return what is worth trying in other sizes, best first."""
        near = [self.leader] if self.goal.recall is None else self._within(PROMISING)
        return [one.contender.family for one in near]

    def _within(self, ratio: float) -> list[Standing]:
        """Return what is slower than the leader by no more than `ratio`, itself first."""
        limit = ratio * self.leader.best.measured.seconds
        return [
            one
            for one in self.standings
            if one.cost[:2] == self.leader.cost[:2] and one.best.measured.seconds <= limit
        ]

    def suits(self, standing: Standing) -> bool:
        """Tell whether a contender keeps to the goal, and to the memory."""
        return not any(standing.cost[:2])

    def why(self, chosen: Standing) -> str:
        """Return a sentence on why this one was chosen."""
        built = f"of {len(self.trials)} indices measured"
        if not self.suits(chosen):
            return f"none reaches the target; nearest to it {built}"
        if self.goal.recall is not None:
            return f"fastest at recall@10 {self.goal.recall:.4f} {built}"
        return f"highest recall@10 within {(self.goal.seconds or 0) * 1e3:g} ms {built}"

    def judged(self, contender: Contender, best: Best, goal: Goal) -> Standing:
        """Return how a contender stands to a goal, and to the memory."""
        size = contender.size
        too_large = self.memory_mb is not None and size is not None and size > self.memory_mb * 1e6
        return Standing(contender, best, (too_large, *goal.cost(best.measured)))


def _seconds(standing: Standing) -> float:
    index = standing.contender.at(standing.best.line, standing.best.place)
    return standing.contender.exam.seconds(index, passes=1)


def _timed(best: Best, seconds: float) -> Best:
    return Best(best.line, best.place, best.search, Measured(best.measured.recall, seconds))
