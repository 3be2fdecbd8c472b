"""Our own server on a snapshot of the same vectors, asked for neighbours of vectors.

It is shipped as it is but for the brown-out, which would answer a load with less effort, and so with
less recall, than the comparison is about.
"""

import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.catalog import write_catalog
from artifacts.folders import staged_folder
from artifacts.manifest import Kind, seal
from artifacts.prepared import CATALOG_FOLDER, ITEMS_FOLDER, Prepared
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from artifacts.versions import VersionedRoot
from artifacts.vocabulary import write_vocabulary
from benchmarks.compare.engines import K_FACTOR
from benchmarks.compare.task import IntMatrix, Task, lightest, recall, releases, rising
from indexer.backends import build_index, load_index
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import (
    BackendConfig,
    FaissBuild,
    FaissConfig,
    FaissSearch,
    IndexConfig,
    SearchConfig,
    SimHashConfig,
    SimHashSearch,
    SpaceIndexConfig,
)
from indexer.index import Metric
from retrieval.config import RetrievalConfig
from server.app import serve
from server.config import ServerConfig
from server.load_config import BrownOutConfig
from shelfmate.client import Client, EntryError, Options
from shelfmate.v1 import recommender_pb2 as pb

PATH = "/shelfmate.v1.RecommenderService/SearchNeighbors"
SPACE = "cf"
SEED = 1
BATCH = 100
POLL_S = 0.05
START_S = 300.0
MADE_FROM = "vectors"

SIMHASH = (
    *(SimHashSearch(probe=each / 100, candidates=12 * each + 50) for each in rising(3, 100, 1.08)),
    *(SimHashSearch(probe=1, candidates=count) for count in (1_700, 2_500, 4_000, 8_000)),
)
"""Buckets and candidates of SimHash rise together: as the settings of docs/simhash.md that nothing beats
in both recall and speed."""


def ladder(engine: str, n: int) -> tuple[BackendConfig, list[SearchConfig]]:
    """Return a backend and its searches by rising effort."""
    if engine == "simhash":
        return SimHashConfig(), list(SIMHASH)
    config = FaissConfig(build=FaissBuild(factory="IVF,PQx4fs"))
    cells = max(int(2 * n**0.5), 1)
    return config, [
        FaissSearch(nprobe=probes, k_factor=K_FACTOR) for probes in rising(1, cells, step=1.1)
    ]


def tuned(task: Task) -> BackendConfig:
    """Return the backend with the lightest search that reaches the recall."""
    config, searches = ladder(task.engine, len(task.base))
    threads = os.cpu_count() or 1
    folder = task.folder / "tuning"
    build_index(task.base, Metric.COSINE, config, seed=SEED, threads=threads).save(folder)

    def recall_of(search: SearchConfig) -> float:
        found = load_index(folder, search).search(task.tuning, task.k)
        return recall(found.rows.astype(np.int64), task.tuning_truth)

    search, _ = lightest(searches, recall_of, task.recall)
    return config.model_copy(update={"search": search})


def snapshot_of(base: FloatMatrix, backend: BackendConfig, folder: Path) -> VersionedRoot:
    """Build a snapshot of vectors whose ids are their rows, and put it in use."""
    inputs = SnapshotInputs(_prepared(folder / "prepared", len(base)), {SPACE: folder / SPACE})
    with staged_folder(folder / SPACE) as staging:
        np.save(staging / "rows.npy", np.arange(len(base), dtype=np.int32))
        np.save(staging / "vectors.npy", base)
        _seal(staging, "embedding", SPACE, {"prepared": MADE_FROM})
    space = SpaceIndexConfig(
        space=SPACE,
        relations=(Relation.ALTERNATIVES,),
        backend=backend,
        exact_below=0,
        neighbors=0,
    )
    root = VersionedRoot(folder / "snapshots")
    config = IndexConfig(spaces=(space,))
    now = datetime.now(UTC)
    root.use(build_snapshot(inputs, config, root, progress=SilentProgress(), now=now).id)
    return root


def _prepared(folder: Path, n: int) -> Prepared:
    nothing = [None] * n
    with staged_folder(folder) as staging:
        write_vocabulary(staging / ITEMS_FOLDER, [str(row) for row in range(n)])
        write_catalog(
            staging / CATALOG_FOLDER,
            titles=nothing,
            category_paths=nothing,
            top_categories=nothing,
            brands=nothing,
            prices=np.full(n, np.nan, dtype=np.float32),
            popularity=np.zeros(n, dtype=np.int32),
        )
        _seal(staging, "prepared", MADE_FROM, {})
    return Prepared.open(folder)


def _seal(folder: Path, kind: Kind, id: str, inputs: dict[str, str]) -> None:
    now = datetime.now(UTC)
    seal(folder, kind=kind, id=id, config={}, inputs=inputs, versions={}, now=now)


def message(queries: FloatMatrix, k: int) -> bytes:
    """Return a search as it goes on the wire."""
    asked = [pb.NeighborQuery(vector=pb.QueryVector(values=query.tolist())) for query in queries]
    request = pb.SearchNeighborsRequest(requests=asked)
    request.defaults.k = k
    return request.SerializeToString()


def _rows(task: Task, port: int) -> IntMatrix:
    rows = np.full((len(task.asked), task.k), -1, dtype=np.int64)
    with Client(f"127.0.0.1:{port}") as client:
        for start in range(0, len(rows), BATCH):
            block = [query.tolist() for query in task.asked[start : start + BATCH]]
            answers = client.neighbors(block, Options(k=task.k), timeout_s=60)
            for row, outcome in zip(rows[start:], answers.outcomes, strict=False):
                if isinstance(outcome, EntryError):
                    raise ConnectionError(f"our server failed: {outcome.code} {outcome.message}")
                row[: len(outcome.items)] = [int(id) for id in outcome.item_ids]
    return rows


def main() -> None:
    """Tune, build a snapshot, and serve it until the benchmark is done."""
    task = Task.read()
    begun = time.perf_counter()
    backend = tuned(task)
    built = time.perf_counter()
    snapshots = snapshot_of(task.base, backend, task.folder)
    built_s = time.perf_counter() - built
    port_file = task.folder / "port"

    def report() -> None:
        until = begun + START_S
        while not port_file.exists() and time.perf_counter() < until:
            time.sleep(POLL_S)
        port = int(port_file.read_text("utf-8").split()[0])
        task.ready(
            wire="grpc",
            port=port,
            path=PATH,
            build_s=built_s,
            knob=str(backend.model_dump().get("search")),
            recall=recall(_rows(task, port), task.asked_truth),
            versions=releases("shelfmate", "grpcio"),
            messages={
                batch: [message(block, task.k) for block in task.blocks(batch)]
                for batch in task.batches
            },
        )
        task.wait_for_end()
        os.kill(os.getpid(), signal.SIGTERM)

    task.in_thread(report)
    config = ServerConfig(
        port=0, state_dir=task.folder / "state", brown_out=BrownOutConfig(enabled=False)
    )
    serve(config, RetrievalConfig(), snapshots, port_file=port_file)


if __name__ == "__main__":
    main()
