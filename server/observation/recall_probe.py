"""How much of the truth live searches find, measured on the searches of callers."""

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from artifacts.accuracy import Accuracy
from artifacts.arrays import FloatMatrix, FloatVector
from artifacts.embeddings import EmbeddingTable
from artifacts.neighbors import Neighbors
from artifacts.relation import Relation
from indexer.index import Metric
from indexer.space_index import SpaceIndex
from indexer.vector_store import VectorStore
from retrieval.scope import SearchScope
from retrieval.state import ServingState

logger = logging.getLogger(__name__)

WAITING = 8
"""Searches that wait to be compared; further ones are dropped."""

BLOCK = 4_096
"""Vectors that are scored at a time, so that no other thread waits long for its turn."""

TOLERANCE = 1e-5
"""Two ways to compute a float32 score differ by less, of its size."""

NICE = 19
"""Lowest priority: whoever answers calls goes first."""


class Search(NamedTuple):
    """A search as it was answered."""

    state: ServingState
    space: str
    relation: Relation
    categories: tuple[str, ...]
    query: FloatVector
    """(d,) as the caller's."""
    scores: FloatVector
    """(k,) of the hits, best first, padded with -inf."""


@dataclass(frozen=True, slots=True)
class ProbedIndex(SpaceIndex):
    """An index that shows what it is asked.

    Attributes:
        watch: called with queries, the categories that were searched, and the answer.
    """

    watch: Callable[[FloatMatrix, Sequence[str], Neighbors], None]

    def search(
        self,
        queries: FloatMatrix,
        k: int,
        *,
        categories: Sequence[str] | None = None,
        accuracy: Accuracy = Accuracy.BALANCED,
    ) -> Neighbors:
        """Do what `SpaceIndex.search` does."""
        found = SpaceIndex.search(self, queries, k, categories=categories, accuracy=accuracy)
        self.watch(queries, () if categories is None else tuple(categories), found)
        return found


class RecallProbe:
    """Compares a sample of searches with exact ones, on a thread of the lowest priority.

    Args:
        share: share of the searches that are compared.
        k: best hits of a search that are compared.
        report: told space, relation and recall of each.
        dropped: told of each that was drawn while too many waited.
        random: draws the sample.
    """

    def __init__(
        self,
        share: float,
        k: int,
        report: Callable[[str, str, float], None],
        dropped: Callable[[], None],
        random: Random,
    ) -> None:
        self._share = share
        self._k = k
        self._report = report
        self._dropped = dropped
        self._random = random
        self._waiting: queue.Queue[Search | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._work, name="recall-probe", daemon=True)
        self._thread.start()

    def watched(self, state: ServingState) -> ServingState:
        """Return a state whose searches are drawn from; the one given stays as it is."""
        indices = {key: self._probed(state, index) for key, index in state.indices.items()}
        return replace(state, indices=indices)

    def close(self) -> None:
        """Compare no more; what waits is dropped."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        self._waiting.put(None)
        self._thread.join()

    def settle(self) -> None:
        """Wait until everything that was drawn is compared."""
        self._waiting.join()

    def _probed(self, state: ServingState, index: SpaceIndex) -> SpaceIndex:
        def watch(queries: FloatMatrix, categories: Sequence[str], found: Neighbors) -> None:
            for place in range(len(queries)):
                if self._random.random() < self._share:
                    search = Search(
                        state,
                        index.space,
                        index.relation,
                        tuple(categories),
                        queries[place].copy(),
                        found.scores[place, : self._k].copy(),
                    )
                    self._offer(search)

        return ProbedIndex(index.space, index.relation, index.parts, watch)

    def _offer(self, search: Search) -> None:
        try:
            self._waiting.put_nowait(search)
        except queue.Full:
            self._dropped()

    def _work(self) -> None:
        with contextlib.suppress(OSError):  # some systems have no priority of a thread
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while (search := self._waiting.get()) is not None:
            try:
                recall = recall_of(search)
                if recall is not None:
                    self._report(search.space, search.relation.value, recall)
            except Exception:  # a probe that ends would leave the metric where it was
                logger.exception("search not compared space=%s", search.space)
            finally:
                self._waiting.task_done()


def recall_of(search: Search) -> float | None:
    """Return the share of the true neighbours that a search found; None where there are none.

    Hits that score as high as the last true neighbour count as found: which of several equals is
    shown makes no difference.

    Cost: O(n d) for n vectors of the categories that were searched.
    """
    true = _best_scores(search)
    k = min(len(search.scores), len(true))
    if not k:
        return None
    found = np.count_nonzero(search.scores[:k] >= true[k - 1] - TOLERANCE * (1 + abs(true[k - 1])))
    return float(found) / k


def _best_scores(search: Search) -> FloatVector:
    """Return the k highest scores of all vectors of the scope, best first."""
    table = search.state.snapshot.spaces[search.space]
    scope = SearchScope(search.state, search.space, search.categories)
    best = np.empty(0, dtype=np.float32)
    for start in range(0, len(scope.positions), BLOCK):
        positions = scope.positions[start : start + BLOCK]
        scores = _scores(table, search, positions)
        best = np.sort(np.concatenate([best, scores]))[::-1][: len(search.scores)]
    return best


def _scores(table: EmbeddingTable, search: Search, positions: NDArray[np.intp]) -> FloatVector:
    """Return the scores of some vectors, those that may be padding left out."""
    targets = np.ascontiguousarray(table.targets(search.relation)[positions], dtype=np.float32)
    store = VectorStore.of(targets, Metric.of(search.relation))
    queries = store.normalised(np.ascontiguousarray(search.query[None, :]), 1)
    scores: FloatVector = (store.vectors @ queries[0]).astype(np.float32)
    return scores
