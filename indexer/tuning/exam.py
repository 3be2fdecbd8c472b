"""Sampled queries with their true neighbours: what indices are measured with."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple, TypeAlias

import numpy as np

from artifacts.arrays import FloatMatrix, FloatVector, IntVector
from artifacts.neighbors import Neighbors
from indexer.backends import build_index
from indexer.config import ExactConfig
from indexer.gate import RECALL_AT, recall
from indexer.index import Index, Metric
from indexer.query_samples import QuerySample, even_sample, visited_sample
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
        weights: (q,) each, how much a query counts in a recall; there is one for each recall that
            is to be kept.
        batch: queries of a call, when time is measured.
        clock: seconds since some moment, in which a query is measured.
    """

    queries: FloatMatrix
    own: IntVector
    truth: Neighbors
    weights: tuple[FloatVector, ...]
    batch: int
    clock: Clock

    def recall(self, index: Index) -> float:
        """Return recall@10, over items or over visits, whichever is lower.

        The gate before publishing measures both.
        """
        answer = self._answer(index)
        return min(recall(answer, self.truth, weights) for weights in self.weights)

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
        queries = min(float(1 / np.square(weights).sum()) for weights in self.weights)
        return float(0.5 / np.sqrt(queries * self.truth.rows.shape[1]))


@dataclass(frozen=True, slots=True)
class Question:
    """What may be asked of n vectors.

    Attributes:
        vectors: (n, d) float32, searched.
        askers: (m, d) float32, among them what each item asks with.
        places: (n,) where among the askers an item stands.
        metric: what is searched by.
        popularity: (n,) sessions that hold an item; None where nothing is known of that.
    """

    vectors: FloatMatrix
    askers: FloatMatrix
    places: IntVector
    metric: Metric
    popularity: IntVector | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    def sample(self, size: int, rng: np.random.Generator) -> "Question":
        """Return the question for some of the items."""
        chosen = np.sort(rng.choice(len(self), size, replace=False))
        popularity = None if self.popularity is None else self.popularity[chosen]
        places = self.places[chosen]
        return Question(self.vectors[chosen], self.askers, places, self.metric, popularity)

    def exam(self, queries: int, rng: np.random.Generator, batch: int, clock: Clock) -> Exam:
        """Draw queries, evenly and by visits, and search their true neighbours.

        Cost: O(queries n d).
        """
        samples = [even_sample(len(self), queries, rng)]
        if self.popularity is not None:
            visited = visited_sample(self.popularity, queries, rng)
            samples += [visited] if visited is not None else []
        own, weights = _together(samples, rng)
        asked = np.ascontiguousarray(self.askers[self.places[own]])
        exact = build_index(self.vectors, self.metric, ExactConfig(), seed=0, threads=1)
        truth = without_self(exact.search(asked, RECALL_AT + 1), own, RECALL_AT)
        return Exam(asked, own, truth, weights, batch, clock)


def _together(
    samples: list[QuerySample], rng: np.random.Generator
) -> tuple[IntVector, tuple[FloatVector, ...]]:
    """Return the items of all samples in random order, and the weights of each sample for them.

    Time is measured on the first of them, which are to be of all samples.
    """
    own = np.unique(np.concatenate([sample.places for sample in samples]))
    rng.shuffle(own)
    order = np.argsort(own)
    weights = []
    for sample in samples:
        counted = np.zeros(len(own), dtype=np.float32)
        counted[order[np.searchsorted(own, sample.places, sorter=order)]] = sample.weights
        weights.append(counted)
    return own, tuple(weights)
