"""Choose backend and settings for one part of a space, by measuring (docs/adr/0014)."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from artifacts.accuracy import Accuracy
from artifacts.arrays import FloatMatrix
from indexer.backends import build_index
from indexer.config import BackendConfig, SearchConfig
from indexer.index import Index, Metric
from indexer.native_threads import limit_native_threads, native_threads
from indexer.target_config import TargetConfig
from indexer.tuning import first_look
from indexer.tuning.contender import Best, Contender
from indexer.tuning.earlier_choice import EarlierChoice
from indexer.tuning.exam import Clocks, Exam, Question
from indexer.tuning.families import Family, families
from indexer.tuning.field import Field, Standing
from indexer.tuning.goal import goal_of
from indexer.tuning.report import Compared, LevelSearch, TuningReport

MORE_QUERIES = 4
"""Times as many queries set the searches of the index that was chosen: half the error, for the cost of
one index alone."""


class Builder(Protocol):
    """Builds an index; see `indexer.backends.build_index`."""

    def __call__(
        self,
        vectors: FloatMatrix,
        metric: Metric,
        config: BackendConfig,
        *,
        seed: int,
        threads: int,
    ) -> Index:
        """Return an index over the vectors."""
        ...


@dataclass(frozen=True, slots=True)
class TuningTask:
    """What is to be tuned.

    Attributes:
        question: the vectors, and what they are asked with.
        target: what is to be reached.
        seed: of builds and samples.
        threads: of builds; time is measured on one.
        clocks: what time is measured by.
        build: builds indices; whoever tunes the same vectors for several targets may remember them.
        before: what was chosen for much the same vectors and this target; kept if it still does.
    """

    question: Question
    target: TargetConfig
    seed: int
    threads: int
    clocks: Clocks
    build: Builder = build_index
    before: EarlierChoice | None = None


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was chosen.

    Attributes:
        index: built over all vectors, with the search of the balanced level.
        config: its settings.
        levels: search settings of each accuracy level; none for an exact index.
        report: what was tried.
    """

    index: Index
    config: BackendConfig
    levels: Mapping[Accuracy, SearchConfig]
    report: TuningReport


def tune(task: TuningTask) -> Tuned:
    """Build what may suit the target, measure it, and return what suits it best.

    Kinds of index are compared on a sample of the vectors first, where there are many; those that
    do well are built over all of them, the best one also in other sizes. For each build the search
    settings are found by bisection, since recall and time rise with them. Nothing is compared where
    what was chosen before still reaches the target.

    Cost: several builds, at least one, and none begun after `target.time_s`; memory for the best
    three indices and one more.
    """
    before = native_threads()
    limit_native_threads(1)
    try:
        return _tune(task)
    finally:
        limit_native_threads(before)


def _tune(task: TuningTask) -> Tuned:
    rng = np.random.default_rng(task.seed)
    exam = task.question.exam(task.target.queries, rng, task.target.batch, task.clocks.work)
    goal = goal_of(task.target, Accuracy.BALANCED, exam.error)
    field = Field(goal, task.target.memory_mb, task.target.time_s, task.clocks.wall)
    order = families(task.target.engines, len(task.question))
    if task.before is not None and _still_suits(task.before, task, exam, field):
        return _finished(task, field, task.before.compared)
    if first_look.is_worth_it(len(task.question)):
        order = _narrowed(task, order, field, rng)
    for family in order:
        _try(task, family, exam, field)
    for family in field.promising():
        for chain in family.variants:
            if _climbed(task, chain, exam, field):
                break  # what is better with fewer is not better with more
    return _finished(task, field)


def _still_suits(before: EarlierChoice, task: TuningTask, exam: Exam, field: Field) -> bool:
    """Build what was chosen before, and tell whether it reaches the target for these vectors."""
    n = len(task.question)
    family = before.family(families(task.target.engines, n)) if before.holds_for(n) else None
    if family is None:
        return False
    _try(task, family, exam, field)
    if not field.suits(field.leader):
        return False
    return field.goal.recall is None or before.is_as_fast(field.leader.best.measured.seconds)


def _climbed(task: TuningTask, chain: Sequence[Family], exam: Exam, field: Field) -> bool:
    """Try builds as long as each is better than what leads, and tell whether any was."""
    for step, family in enumerate(chain):
        leader = field.leader
        _try(task, family, exam, field)
        if field.leader is leader:
            return step > 0
    return bool(chain)


def _narrowed(
    task: TuningTask, order: list[Family], field: Field, rng: np.random.Generator
) -> list[Family]:
    """Measure each kind on a sample and return those worth building, most promising first."""
    small = replace(task, question=task.question.sample(first_look.ROWS, rng))
    exam = small.question.exam(first_look.QUERIES, rng, task.target.batch, task.clocks.work)
    pilot = Field(field.goal, None, task.target.time_s, task.clocks.wall, kept=len(order))
    kinds = {family.name: family for family in order}
    for family in families(task.target.engines, first_look.ROWS):
        _try(small, family, exam, pilot)
    kept, dropped = first_look.judge(pilot.standings)
    field.note(pilot, dropped, len(task.question) / first_look.ROWS)
    return [kinds[name] for name in kept]


def _try(task: TuningTask, family: Family, exam: Exam, field: Field) -> None:
    if not field.has_time_for(family):
        return
    begun = task.clocks.wall()
    index = task.build(
        task.question.vectors,
        task.question.metric,
        family.config,
        seed=task.seed,
        threads=task.threads,
    )
    built = task.clocks.wall() - begun
    size = _size(index) if task.target.memory_mb is not None else None
    field.enter(Contender(family, index, exam, built, size))


def _size(index: Index) -> int:
    """Return the bytes of an index on disk, which are what is mapped."""
    with tempfile.TemporaryDirectory(prefix="shelfmate-tuning-") as folder:
        index.save(Path(folder))
        return sum(path.stat().st_size for path in Path(folder).iterdir())


def _finished(task: TuningTask, field: Field, compared: Compared | None = None) -> Tuned:
    chosen = _settled(task, field)
    levels = dict(_levels(task, chosen))
    return Tuned(
        index=chosen.contender.at(chosen.best.line, chosen.best.place),
        config=chosen.contender.config(chosen.best),
        levels={level: best.search for level, best in levels.items() if best.search is not None},
        report=TuningReport(
            target=task.target,
            chosen=chosen.trial(),
            reached=field.suits(chosen),
            why=field.why(chosen) if compared is None else _why_kept(compared),
            levels={
                level: LevelSearch(
                    recall=best.measured.recall, query_us=best.measured.seconds * 1e6
                )
                for level, best in levels.items()
                if best.search is not None
            },
            trials=tuple(field.trials),
            passed_over=tuple(field.passed_over),
            compared=compared,
        ),
    )


def _settled(task: TuningTask, field: Field) -> Standing:
    """Return the index that was chosen, its search set by more queries than it was chosen by."""
    chosen = field.final()
    old = chosen.contender
    everything_asked = len(old.exam.queries) >= len(task.question)
    if chosen.best.search is None or field.goal.recall is None or everything_asked:
        return chosen
    rng = np.random.default_rng(task.seed + 1)
    queries = MORE_QUERIES * task.target.queries
    exam = task.question.exam(queries, rng, task.target.batch, task.clocks.work)
    contender = Contender(old.family, old.index, exam, old.build_s, old.size)
    goal = goal_of(task.target, Accuracy.BALANCED, exam.error)
    return field.judged(contender, contender.best(goal, chosen.best), goal)


def _why_kept(compared: Compared) -> str:
    return f"still reaches the target; the best of {compared.vectors:,} vectors when last compared"


def _levels(task: TuningTask, chosen: Standing) -> Iterator[tuple[Accuracy, Best]]:
    """Find the search of each level in the index that was chosen."""
    contender = chosen.contender
    for level in Accuracy:
        if level is Accuracy.BALANCED:
            yield level, chosen.best
        else:
            goal = goal_of(task.target, level, contender.exam.error)
            yield level, contender.best(goal, chosen.best)
