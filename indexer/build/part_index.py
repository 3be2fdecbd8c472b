"""The index of one part of a space, by settings or by what it is to reach."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from artifacts.accuracy import Accuracy
from artifacts.manifest import Json
from indexer.backends import build_index
from indexer.config import BackendConfig
from indexer.index import Index
from indexer.target_config import TargetConfig
from indexer.tuning import MACHINE_CLOCKS, Clocks, EarlierChoice, Question, TuningTask, tune


@dataclass(frozen=True, slots=True)
class BuildEffort:
    """What a build may spend.

    Attributes:
        seed: of everything random.
        threads: >= 1.
        gate_queries: queries that measure the recall of an index.
        clocks: what time is measured by, where a backend is found by measuring.
    """

    seed: int
    threads: int
    gate_queries: int
    clocks: Clocks = MACHINE_CLOCKS

    def recipe(self) -> Json:
        """Return what of it counts for an index; with one thread alone a build repeats exactly."""
        return {
            "seed": self.seed,
            "gate_queries": self.gate_queries,
            "one_thread": self.threads == 1,
        }


@dataclass(frozen=True, slots=True)
class PartIndex:
    """An index in memory, and what a snapshot says of it.

    Attributes:
        index: the index.
        config: its settings.
        levels: search settings by accuracy level.
        tuning: the report of the tuner.
    """

    index: Index
    config: BackendConfig
    levels: Mapping[Accuracy, Json] = field(default_factory=dict)
    tuning: Json = field(default_factory=dict)


def index_part(
    question: Question,
    config: BackendConfig | TargetConfig,
    effort: BuildEffort,
    before: EarlierChoice | None = None,
) -> PartIndex:
    """Build the index of some vectors, or find by measuring which one they should have.

    Args:
        question: the vectors, and what they are asked with.
        config: a backend, or what is to be reached.
        effort: what the build may spend.
        before: what was found for much the same vectors and the same target.
    """
    if not isinstance(config, TargetConfig):
        index = build_index(
            question.vectors, question.metric, config, seed=effort.seed, threads=effort.threads
        )
        return PartIndex(index, config)
    task = TuningTask(question, config, effort.seed, effort.threads, effort.clocks, before=before)
    tuned = tune(task)
    return PartIndex(
        tuned.index,
        tuned.config,
        {level: search.model_dump(mode="json") for level, search in tuned.levels.items()},
        tuned.report.model_dump(mode="json"),
    )
