"""Chroma's own server, with a collection in its graph index.

In its favour: the server is the one written in Rust, ids are short, answers hold ids and distances and
nothing else, and the client's work is left out: requests are made before the clock runs.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.compare.engines import BUILD_EFFORT, EFFORTS, LINKS, reported
from benchmarks.compare.http_calls import HttpCalls, numbers_text
from benchmarks.compare.servers import free_port, program
from benchmarks.compare.task import FloatMatrix, IntMatrix, Task, lightest, recall, releases

COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"
NUMBERS_PER_CALL = 500_000
BATCH = 100
QUIET = {"ANONYMIZED_TELEMETRY": "False"}


class ChromaCollection:
    """A collection, over HTTP; made unless it is there.

    Args:
        port: of the server.
        k: neighbours that are asked for.
    """

    def __init__(self, port: int, k: int) -> None:
        self._calls = HttpCalls(port)
        self._k = k
        graph = {"space": "ip", "ef_construction": BUILD_EFFORT, "max_neighbors": LINKS}
        body = {"name": "vectors", "configuration": {"hnsw": graph}, "get_or_create": True}
        made: dict[str, Any] = self._calls.call("POST", COLLECTIONS, json.dumps(body).encode())
        self._path = f"{COLLECTIONS}/{made['id']}"
        self.query_path = f"{self._path}/query"

    def fill(self, base: FloatMatrix) -> None:
        """Add rows, which are their own ids."""
        limits: dict[str, Any] = self._calls.call("GET", "/api/v2/pre-flight-checks")
        step = min(int(limits["max_batch_size"]), max(NUMBERS_PER_CALL // base.shape[1], 1))
        for start in range(0, len(base), step):
            block = base[start : start + step]
            ids = ",".join(f'"{start + place}"' for place in range(len(block)))
            body = f'{{"ids":[{ids}],"embeddings":{numbers_text(block)}}}'
            self._calls.call("POST", f"{self._path}/add", body.encode())

    def tune(self, effort: int) -> None:
        """Set `ef_search`; the server goes by it if it has not searched yet."""
        body = {"new_configuration": {"hnsw": {"ef_search": effort}}}
        self._calls.call("PUT", self._path, json.dumps(body).encode())

    def message(self, queries: FloatMatrix) -> bytes:
        """Return the body of a search."""
        asked = numbers_text(queries)
        return (
            f'{{"query_embeddings":{asked},"n_results":{self._k},"include":["distances"]}}'.encode()
        )

    def search(self, queries: FloatMatrix) -> IntMatrix:
        """Return (q, k) rows."""
        answers = [
            self._calls.call("POST", self.query_path, self.message(queries[start : start + BATCH]))
            for start in range(0, len(queries), BATCH)
        ]
        rows = [[int(id) for id in ids] for answer in answers for ids in answer["ids"]]
        return np.array(rows, dtype=np.int64)


@contextmanager
def _server(task: Task) -> Iterator[int]:
    """Run the server on the data of the task and yield its port."""
    port = free_port()
    words = [str(Path(sys.executable).with_name("chroma")), "run", "--host", "127.0.0.1"]
    words += ["--port", str(port), "--path", str(task.folder / "chroma")]

    def is_ready() -> bool:
        return bool(HttpCalls(port).call("GET", "/api/v2/heartbeat"))

    with program(words, task.folder / "chroma.log", is_ready, QUIET):
        yield port


def _tuned(task: Task) -> int:
    """Return the least `ef_search` that is enough; each is tried by a server of its own."""

    def recall_of(effort: int) -> float:
        with _server(task) as port:
            collection = ChromaCollection(port, task.k)
            collection.tune(effort)
            return recall(collection.search(task.tuning), task.tuning_truth)

    return lightest(EFFORTS, recall_of, task.recall)[0]


def main() -> None:
    """Fill, tune, and serve until the benchmark is done."""
    task = Task.read()
    with reported(task):
        import chromadb_rust_bindings  # noqa: F401 - the server is part of it
    begun = time.perf_counter()
    with _server(task) as port:
        ChromaCollection(port, task.k).fill(task.base)
    built_s = time.perf_counter() - begun
    effort = _tuned(task)
    with _server(task) as port:
        collection = ChromaCollection(port, task.k)
        collection.tune(effort)
        task.ready(
            wire="http",
            port=port,
            path=collection.query_path,
            build_s=built_s,
            knob=effort,
            recall=recall(collection.search(task.asked), task.asked_truth),
            versions=releases("chromadb"),
            messages={
                batch: [collection.message(block) for block in task.blocks(batch)]
                for batch in task.batches
            },
        )
        task.wait_for_end()


if __name__ == "__main__":
    main()
