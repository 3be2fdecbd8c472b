"""What a served snapshot is asked under load, and what answering costs without a server."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from google.protobuf.message import Message
from threadpoolctl import threadpool_limits

from artifacts.arrays import FloatMatrix
from benchmarks.open_loop import Ask
from indexer.native_threads import limit_native_threads
from indexer.space_index import SpaceIndex
from retrieval.queries import SimilarBatch, SimilarQuery
from retrieval.recommender import Recommender
from shelfmate.v1 import common_pb2
from shelfmate.v1 import recommender_pb2 as pb

SERVICE = "/shelfmate.v1.RecommenderService"
DISTINCT = 1_000
"""Different requests of a kind, sent in turn."""
VISITS = 3
K = 10
PASSES = 5


class Questions(NamedTuple):
    """Requests that belong together."""

    name: str
    """For people."""
    asks: Sequence[Ask]
    """Made in turn."""

    @property
    def messages(self) -> list[bytes]:
        """The requests as they go on the wire."""
        return [ask.message for ask in self.asks]


class Asked:
    """A snapshot that is asked: ids with full precomputed lists, and vectors that are searched for.

    Args:
        recommender: of the snapshot.
        seed: of what is asked.
    """

    def __init__(self, recommender: Recommender, seed: int = 1) -> None:
        config = recommender.configs.serving[recommender.configs.default_name]
        state = recommender.state
        self.index: SpaceIndex = state.indices[config.space, config.relation]
        table = state.snapshot.spaces[config.space]
        self._rng = np.random.default_rng(seed)
        rows = self._rng.permutation(np.asarray(table.rows))
        ids = state.snapshot.items.ids(rows[: 20 * DISTINCT])
        self.ids = [id for id in ids if _has_list(recommender, id)][:DISTINCT]
        places = self._rng.integers(0, len(table), DISTINCT)
        vectors = np.asarray(table.vectors[np.sort(places)], dtype=np.float32)
        noise = self._rng.normal(0, 0.05, vectors.shape).astype(np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self.vectors: FloatMatrix = np.ascontiguousarray(vectors + noise * lengths)

    def precomputed(self) -> Questions:
        """Return questions that look-ups answer."""
        requests = [
            pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id=id)]) for id in self.ids
        ]
        return _questions("precomputed RecommendSimilar", "RecommendSimilar", requests)

    def neighbors(self, entries: int) -> Questions:
        """Return questions of `entries` searches each."""
        requests = []
        for number in range(DISTINCT // entries):
            chunk = self.vectors[number * entries : (number + 1) * entries]
            queries = [
                pb.NeighborQuery(vector=pb.QueryVector(values=vector.tolist())) for vector in chunk
            ]
            requests.append(pb.SearchNeighborsRequest(requests=queries))
        return _questions(f"SearchNeighbors, batch {entries}", "SearchNeighbors", requests)

    def sessions(self) -> Questions:
        """Return questions of a few visits each; each takes a search."""
        requests = []
        for chosen in self._rng.choice(self.ids, (DISTINCT, VISITS)):
            visits = [common_pb2.Visit(item_id=str(id)) for id in chosen]
            requests.append(
                pb.RecommendForSessionRequest(
                    requests=[pb.SessionQuery(visits=visits)],
                    strategy=pb.SESSION_STRATEGY_AGGREGATE,
                )
            )
        return _questions("RecommendForSession", "RecommendForSession", requests)

    def mixed(self) -> Questions:
        """Return a look-up, a search and a session by turns."""
        kinds = (self.precomputed(), self.neighbors(1), self.sessions())
        asks = [ask for turn in zip(*(each.asks for each in kinds), strict=False) for ask in turn]
        return Questions("look-ups and searches by turns", asks)

    def search_s(self, batch: int) -> float:
        """Return the seconds of a bare call of the index with `batch` queries, on one thread."""
        blocks = [self.vectors[at : at + batch] for at in range(0, DISTINCT, batch)]
        limit_native_threads(1)
        with threadpool_limits(1):
            return _median_s(lambda: [self.index.search(block, K) for block in blocks]) / len(
                blocks
            )


def _has_list(recommender: Recommender, id: str) -> bool:
    begun = recommender.begin_similar(SimilarBatch([SimilarQuery(id)]))
    return not begun.pending


def _questions(name: str, method: str, requests: Sequence[Message]) -> Questions:
    path = f"{SERVICE}/{method}"
    return Questions(name, [Ask(path, request.SerializeToString()) for request in requests])


def _median_s(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(PASSES):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return float(np.median(times))
