"""One backend over one number of rows, in a process of its own: `python -m benchmarks.growth_case`.

A process of its own has a peak memory of its own, and can be ended when its time is up.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from artifacts.arrays import FloatMatrix, IntMatrix, map_array
from indexer.backends import build_index, load_index
from indexer.backends.simhash_tables import shape_for
from indexer.config import (
    AnnoyConfig,
    AnnoySearch,
    BackendConfig,
    ExactConfig,
    FaissBuild,
    FaissConfig,
    FaissSearch,
    SearchConfig,
    SimHashBuild,
    SimHashConfig,
    SimHashSearch,
)
from indexer.index import Index, Metric
from indexer.native_threads import limit_native_threads

K = 10
RECALL = 0.90
BATCH = 100
SAMPLE_S = 0.02
WARM_UP = 1000
TIMED = 4
"""Settings timed, of those that reach the recall; the ones that reach it by the least."""

BACKENDS: dict[str, BackendConfig] = {
    "exact": ExactConfig(),
    "annoy": AnnoyConfig(),
    "faiss": FaissConfig(),
    "faiss-codes": FaissConfig(build=FaissBuild(factory="IVF,PQx4fs")),
    "faiss-graph": FaissConfig(build=FaissBuild(factory="HNSW32")),
    "simhash": SimHashConfig(),
}

EFFORTS: dict[str, Sequence[SearchConfig | None]] = {
    "exact": (None,),
    "annoy": tuple(AnnoySearch(search_k=s) for s in (2_000, 5_000, 10_000, 20_000, 40_000, 80_000)),
    "faiss": tuple(FaissSearch(nprobe=n) for n in (2, 4, 8, 16, 32, 64, 128)),
    "faiss-codes": tuple(
        FaissSearch(nprobe=n, k_factor=f) for n, f in product((4, 8, 16, 32, 64, 128), (10, 30))
    ),
    "faiss-graph": tuple(FaissSearch(ef_search=e) for e in (16, 32, 64, 128, 256, 512)),
    "simhash": tuple(
        SimHashSearch(probe=p, candidates=c)
        for p, c in product((0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 1.0), (200, 500, 1500, 4000))
    ),
}
"""From the cheapest on; the fastest one that reaches the recall is reported."""

MOST_CODES = 4_000_000
"""Codes of SimHash that a query may read: more of them take as long as other engines' whole search."""


def measure_case(backend: str, folder: Path, *, threads: int) -> dict[str, Any]:
    """Build, save, load and search.

    Args:
        backend: name in `BACKENDS`.
        folder: holds `base.npy`, `queries.npy` and `truth.npy`.
        threads: of the build; searches have one.

    Returns:
        Metrics by name, and under `search` the settings that were searched with, in JSON.
    """
    vectors = map_array(folder / "base.npy")
    # Kernels are compiled and libraries wake up at the first build, which is not this one.
    build_index(vectors[:WARM_UP], Metric.COSINE, BACKENDS[backend], seed=1, threads=threads)
    with TemporaryDirectory(dir=folder, prefix="index-") as name:
        saved = Path(name)
        with private_peak() as peak:
            begun = time.perf_counter()
            index = build_index(vectors, Metric.COSINE, BACKENDS[backend], seed=1, threads=threads)
            built = time.perf_counter() - begun
            index.save(saved)
        del index
        size = sum(path.stat().st_size for path in saved.rglob("*") if path.is_file())
        begun = time.perf_counter()
        load_index(saved)
        loaded = time.perf_counter() - begun
        found = _searched(backend, saved, folder)
    return {
        "build_s": built,
        "peak_private_bytes": float(peak[0]),
        "size_bytes": float(size),
        "load_s": loaded,
        **found,
    }


def _searched(backend: str, saved: Path, folder: Path) -> dict[str, Any]:
    limit_native_threads(1)
    queries, truth = np.load(folder / "queries.npy"), np.load(folder / "truth.npy")
    n = len(load_index(saved))
    recalls = {
        search: _recall(load_index(saved, search), queries, truth)
        for search in EFFORTS[backend]
        if not isinstance(search, SimHashSearch) or _codes_read(search, n) <= MOST_CODES
    }
    reaching = sorted(
        (search for search, recall in recalls.items() if recall >= RECALL), key=recalls.__getitem__
    )
    # What reaches far more than is asked for is not the fastest.
    timed = reaching[:TIMED] or [max(recalls, key=recalls.__getitem__)]
    return min(
        (_times(load_index(saved, search), search, queries, recalls[search]) for search in timed),
        key=lambda measured: float(measured["single_us"]),
    )


def _codes_read(search: SimHashSearch, n: int) -> float:
    return search.probe * n * shape_for(n, SimHashBuild()).tables


def _times(
    index: Index, search: SearchConfig | None, queries: FloatMatrix, recall: float
) -> dict[str, Any]:
    return {
        "recall": recall,
        "single_us": _seconds_a_query(index, queries, 1) * 1e6,
        "batched_us": _seconds_a_query(index, queries, BATCH) * 1e6,
        "search": None if search is None else search.model_dump(mode="json"),
    }


def _recall(index: Index, queries: FloatMatrix, truth: IntMatrix) -> float:
    found = index.search(queries, K).rows
    hits = (found[:, :, np.newaxis] == truth[:, np.newaxis, :]).sum()
    return float(hits) / truth.size


def _seconds_a_query(index: Index, queries: FloatMatrix, batch: int) -> float:
    """Return the median over batches of the time a query, after one warm batch."""
    index.search(queries[:batch], K)
    times = []
    for start in range(0, len(queries) - batch + 1, batch):
        begun = time.perf_counter()
        index.search(queries[start : start + batch], K)
        times.append((time.perf_counter() - begun) / batch)
    return float(np.median(times))


@contextmanager
def private_peak() -> Iterator[list[int]]:
    """Give a list whose one number becomes the most private memory that the block adds, in bytes.

    Files that are mapped do not count: the kernel may drop their pages at any time.
    """
    peak, ended, before = [0], threading.Event(), _private()

    def look() -> None:
        peak[0] = max(peak[0], _private() - before)

    def sample() -> None:
        while not ended.wait(SAMPLE_S):
            look()

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        ended.set()
        sampler.join()
        look()


def _private() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


if __name__ == "__main__":
    print(json.dumps(measure_case(sys.argv[1], Path(sys.argv[2]), threads=int(sys.argv[3]))))
