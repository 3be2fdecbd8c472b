"""What our protocol costs: each backend beside the library that it wraps, in batches of 100.

python -m benchmarks.protocol_bars --base base.npy --queries queries.npy
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import faiss
import numpy as np
import typer
from threadpoolctl import threadpool_limits

from artifacts.arrays import FloatMatrix, IntMatrix, unit_rows
from benchmarks.data import SearchData, array_data
from benchmarks.equal_recall import Contender, measure
from benchmarks.search_bars import true_rows
from benchmarks.search_record import Bar, K, Record
from indexer.backends import build_index
from indexer.backends.annoy_forest import AnnoyForest
from indexer.backends.faiss_engine import FaissEngine
from indexer.config import (
    AnnoyBuild,
    AnnoyConfig,
    AnnoySearch,
    FaissBuild,
    FaissConfig,
    FaissSearch,
)
from indexer.index import Index, Metric
from indexer.native_threads import limit_native_threads

LIBRARY: Any = faiss
"""FAISS's own type information lacks what its wrapper adds."""

SUITE = "protocol_bars"
NEEDED = 0.97
BATCH = 100
SEED = 1
FACTORIES = {
    "IVF,Flat": FaissSearch(nprobe=32),
    "IVF,PQx4fs,RFlat": FaissSearch(nprobe=48, k_factor=20),
    "HNSW32": FaissSearch(ef_search=128),
}
FOREST = AnnoyConfig(build=AnnoyBuild(n_trees=50), search=AnnoySearch(search_k=10_000))


def pairs(data: SearchData, threads: int) -> Iterator[tuple[str, Contender, Contender]]:
    """Build each backend and yield its name, the library's own call and ours, on one index."""
    for factory, search in FACTORIES.items():
        config = FaissConfig(build=FaissBuild(factory=factory), search=search)
        index = build_index(data.base, data.metric, config, seed=SEED, threads=threads)
        assert isinstance(index, FaissEngine), "bug: the backend is not the one asked for"
        yield factory, _raw_faiss(factory, index), _ours(factory, index)
    forest = build_index(data.base, data.metric, FOREST, seed=SEED, threads=threads)
    assert isinstance(forest, AnnoyForest), "bug: the backend is not the one asked for"
    yield "annoy", _raw_annoy(forest), _ours("annoy", forest)


def _ours(name: str, index: Index) -> Contender:
    return _contender(f"ours {name}", lambda queries: index.search(queries, K), lambda a: a.rows)


def _raw_faiss(factory: str, index: FaissEngine) -> Contender:
    """Return FAISS's own call; where a refiner is named, FAISS's refiner over the same vectors."""
    engine, parameters = index.engine, index.parameters
    if factory.endswith("RFlat"):
        engine = LIBRARY.IndexRefineFlat(index.engine, LIBRARY.swig_ptr(index.store.vectors))
        parameters = LIBRARY.IndexRefineSearchParameters(
            k_factor=index.config.search.k_factor, base_index_params=index.parameters
        )
    return _contender(
        f"raw {factory}",
        lambda queries: engine.search(queries, K, params=parameters),
        lambda answer: answer[1].astype(np.int32),
    )


def _raw_annoy(index: AnnoyForest) -> Contender:
    forest, search_k = index.forest, index.config.search.search_k

    def ask(queries: FloatMatrix) -> list[list[int]]:
        return [forest.get_nns_by_vector(query, K, search_k) for query in queries]

    return _contender("raw annoy", ask, lambda answer: np.array(answer, dtype=np.int32))


def _contender(
    name: str, search: Callable[[FloatMatrix], Any], rows: Callable[[Any], IntMatrix]
) -> Contender:
    return Contender(name, {}, search, rows, BATCH)


def run_protocol_bars(data: SearchData, record: Record, threads: int) -> list[Bar]:
    """Time each pair in turn on one thread; the bar is the median of the ratios of the passes.

    Args:
        data: vectors to search and queries; no more than a multiple of 100 is asked.
        record: where results go, and how many passes are made.
        threads: of builds.
    """
    queries, truth = unit_rows(data.queries), true_rows(data)
    bars = []
    for name, raw, ours in pairs(data, threads):
        limit_native_threads(1)
        with threadpool_limits(1):
            theirs, own = measure([raw, ours], queries, truth, record.passes)
        record.keep_points([theirs, own])
        ratios = np.array(own.rates) / np.array(theirs.rates)
        bar = Bar(f"{name}: ours / raw, batches of {BATCH}", float(np.median(ratios)), NEEDED)
        print(f"{bar.line()}; recall {own.recall:.4f} / {theirs.recall:.4f}", flush=True)
        record.keep_bar(bar)
        bars.append(bar)
    return bars


def main(
    base: Annotated[Path, typer.Option(help="Vectors to search, a .npy matrix.")],
    queries: Annotated[Path, typer.Option(help="Queries, a .npy matrix of the same width.")],
    results: Annotated[Path, typer.Option(help="File of JSON lines to append to.")] = Path(
        "benchmarks/results/tuner.jsonl"
    ),
    passes: Annotated[int, typer.Option(help="Passes; medians are compared.", min=1)] = 15,
    query_count: Annotated[int | None, typer.Option(help="Queries at most.")] = 2000,
) -> None:
    """Measure what our protocol costs each backend and print whether the bar is met."""
    data = array_data(base, queries, Metric.COSINE, limit=query_count)
    run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    threads = faiss.omp_get_max_threads()
    run_protocol_bars(data, Record(results, data, passes, run, SUITE), threads)


if __name__ == "__main__":
    typer.run(main)
