"""Sampled queries with their true neighbours: what indices are measured with."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple, TypeAlias

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.neighbors import Neighbors
from indexer.backends import build_index
from indexer.config import ExactConfig
from indexer.gate import RECALL_AT, recall
from indexer.index import Index, Metric
from indexer.self_removal import without_self

Clock: TypeAlias = Callable[[], float]


class Clocks(NamedTuple):
    """What time is measured by.

    Attributes:
        wall: seconds since some moment; bounds what tuning takes.
        work: processor seconds of the calling thread; compares searches, which keep to one thread,
            so that what else a machine does counts little.
    """

    wall: Clock
    work: Clock


MACHINE_CLOCKS = Clocks(time.perf_counter, time.thread_time)

PASSES = 3
PASS_S = 0.25
"""Seconds after which a pass ends, if the queries have not."""


@dataclass(frozen=True, slots=True)
class Exam:
    """Queries, and what a perfect index answers.

    Attributes:
        queries: (q, d) float32.
        own: (q,) int32, which vector of the index a query belongs to; it is not searched for.
        truth: (q, 10) true neighbours.
        batch: queries of a call, when time is measured.
        clock: seconds since some moment, in which a query is measured.
    """

    queries: FloatMatrix
    own: IntVector
    truth: Neighbors
    batch: int
    clock: Clock

    def recall(self, index: Index) -> float:
        """Return recall@10, as the gate before publishing measures it."""
        return recall(self._answer(index), self.truth)

    def seconds(self, index: Index, passes: int = PASSES) -> float:
        """Return the seconds of a query, in calls of `batch`: the median of some passes."""
        index.search(self.queries[: self.batch], RECALL_AT)  # compiles, and fetches what is read
        return median(self._pass(index) for _ in range(passes))

    def _pass(self, index: Index) -> float:
        begun = self.clock()
        done, spent = 0, 0.0
        while done < len(self.queries) and spent < PASS_S:
            block = self.queries[done : done + self.batch]
            index.search(block, RECALL_AT)
            done += len(block)
            spent = self.clock() - begun
        return spent / done

    def _answer(self, index: Index) -> Neighbors:
        return without_self(index.search(self.queries, RECALL_AT + 1), self.own, RECALL_AT)

    @property
    def error(self) -> float:
        """Return the standard error of a recall of one half: it falls towards 0 and 1."""
        return float(0.5 / np.sqrt(max(self.truth.rows.size, 1)))


@dataclass(frozen=True, slots=True)
class Question:
    """What may be asked of n vectors.

    Attributes:
        vectors: (n, d) float32, searched.
        askers: (m, d) float32, among them what each item asks with.
        places: (n,) where among the askers an item stands.
        metric: what is searched by.
    """

    vectors: FloatMatrix
    askers: FloatMatrix
    places: IntVector
    metric: Metric

    def __len__(self) -> int:
        return len(self.vectors)

    def sample(self, size: int, rng: np.random.Generator) -> "Question":
        """Return the question for some of the items."""
        chosen = np.sort(rng.choice(len(self), size, replace=False))
        return Question(self.vectors[chosen], self.askers, self.places[chosen], self.metric)

    def exam(self, queries: int, rng: np.random.Generator, batch: int, clock: Clock) -> Exam:
        """Draw queries and search their true neighbours. Cost: O(queries n d)."""
        own = rng.choice(len(self), min(queries, len(self)), replace=False).astype(np.int32)
        asked = np.ascontiguousarray(self.askers[self.places[own]])
        exact = build_index(self.vectors, self.metric, ExactConfig(), seed=0, threads=1)
        truth = without_self(exact.search(asked, RECALL_AT + 1), own, RECALL_AT)
        return Exam(asked, own, truth, batch, clock)
