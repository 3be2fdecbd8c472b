"""What a served snapshot is asked under load, and what answering costs without a server."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from google.protobuf.message import Message
from threadpoolctl import threadpool_limits

from artifacts.arrays import FloatMatrix
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
    """Requests of a kind."""

    name: str
    """For people."""
    path: str
    """Method."""
    messages: Sequence[bytes]
    """As they go on the wire."""


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
        """Return questions of a few visits each."""
        requests = []
        for _ in range(DISTINCT):
            chosen = self._rng.choice(self.ids, VISITS)
            visits = [common_pb2.Visit(item_id=str(id)) for id in chosen]
            query = pb.SessionQuery(visits=visits)
            requests.append(pb.RecommendForSessionRequest(requests=[query]))
        return _questions("RecommendForSession", "RecommendForSession", requests)

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
    messages = [request.SerializeToString() for request in requests]
    return Questions(name, f"{SERVICE}/{method}", messages)


def _median_s(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(PASSES):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return float(np.median(times))
