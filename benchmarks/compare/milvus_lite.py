"""Milvus Lite as a server, by its own command.

In its favour: requests are made before the clock runs, and carry no fields to return but ids.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.compare.engines import BUILD_EFFORT, EFFORTS, LINKS, reported
from benchmarks.compare.servers import free_port, program
from benchmarks.compare.task import FloatMatrix, IntMatrix, Task, lightest, recall, releases

COLLECTION = "vectors"
ROW, VECTOR = "row", "vector"
PATH = "/milvus.proto.milvus.MilvusService/Search"
NUMBERS_PER_CALL = 1 << 22
BATCH = 100
GRAPH = {"M": LINKS, "efConstruction": BUILD_EFFORT}


@contextmanager
def _server(task: Task, environment: dict[str, str]) -> Iterator[tuple[int, Any]]:
    """Run the server on the data of the task; yield its port and a client."""
    from pymilvus import MilvusClient, MilvusException

    port = free_port()
    words = [sys.executable, "-m", "milvus_lite", "server", "--host", "127.0.0.1"]
    words += ["--port", str(port), "--data-dir", str(task.folder / "milvus")]

    def client() -> Any:
        return MilvusClient(uri=f"http://127.0.0.1:{port}", timeout=1)

    def is_ready() -> bool:
        try:
            client().list_collections()
        except MilvusException:
            return False
        return True

    with program(words, task.folder / "milvus.log", is_ready, environment):
        yield port, client()


def fill(client: Any, base: FloatMatrix) -> None:
    """Add rows and build the graph."""
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False)
    schema.add_field(ROW, DataType.INT64, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=base.shape[1])
    client.create_collection(COLLECTION, schema=schema)
    step = max(NUMBERS_PER_CALL // base.shape[1], 1)
    for start in range(0, len(base), step):
        block = base[start : start + step]
        rows = [{ROW: start + place, VECTOR: vector} for place, vector in enumerate(block)]
        client.insert(COLLECTION, rows, timeout=600)
    client.flush(COLLECTION, timeout=600)
    index = client.prepare_index_params()
    index.add_index(VECTOR, index_type="HNSW", metric_type="IP", params=GRAPH)
    client.create_index(COLLECTION, index, timeout=3600)


def _search(client: Any, queries: FloatMatrix, k: int, effort: int) -> IntMatrix:
    rows = []
    for start in range(0, len(queries), BATCH):
        answers = client.search(
            COLLECTION,
            data=list(queries[start : start + BATCH]),
            limit=k,
            search_params={"metric_type": "IP", "params": {"ef": effort}},
            output_fields=[],
            timeout=600,
        )
        rows += [[hit[ROW] for hit in hits] for hits in answers]
    return np.array(rows, dtype=np.int64)


def message(queries: FloatMatrix, k: int, effort: int) -> bytes:
    """Return a search as it goes on the wire."""
    from pymilvus.client.prepare import Prepare

    request = Prepare.search_requests_with_expr(
        collection_name=COLLECTION,
        anns_field=VECTOR,
        param={"metric_type": "IP", "params": {"ef": effort}},
        limit=k,
        data=list(queries),
        output_fields=[],
    )
    written: bytes = request.SerializeToString()
    return written


def main() -> None:
    """Fill with all cores, serve with one, and wait until the benchmark is done."""
    task = Task.read()
    with reported(task):
        import milvus_lite as library  # noqa: F401 - the server
        import pymilvus  # noqa: F401 - its client
    begun = time.perf_counter()
    with _server(task, {}) as (_, client):
        fill(client, task.base)
    built_s = time.perf_counter() - begun
    with _server(task, {"OMP_NUM_THREADS": "1"}) as (port, client):
        client.load_collection(COLLECTION, timeout=600)

        def recall_of(effort: int) -> float:
            return recall(_search(client, task.tuning, task.k, effort), task.tuning_truth)

        effort, _ = lightest(EFFORTS, recall_of, task.recall)
        task.ready(
            wire="grpc",
            port=port,
            path=PATH,
            build_s=built_s,
            knob=effort,
            recall=recall(_search(client, task.asked, task.k, effort), task.asked_truth),
            versions=releases("milvus-lite", "pymilvus"),
            messages={
                batch: [message(block, task.k, effort) for block in task.blocks(batch)]
                for batch in task.batches
            },
        )
        task.wait_for_end()


if __name__ == "__main__":
    main()
