"""Recall against latency: build grids apart from search grids, one build for many searches."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from artifacts.errors import DataError
from artifacts.neighbors import Neighbors
from artifacts.progress import Progress
from benchmarks.data import SearchData
from benchmarks.machine import Machine
from benchmarks.measure import recall_at_k, time_search
from benchmarks.results import Result
from indexer.backends import build_index, load_index
from indexer.config import (
    AnnoyBuild,
    AnnoyConfig,
    AnnoySearch,
    BackendConfig,
    ExactConfig,
    FaissBuild,
    FaissConfig,
    FaissSearch,
    SearchConfig,
    SimHashConfig,
    SimHashSearch,
)

SUITE = "search"
SEED = 1


@dataclass(frozen=True, slots=True)
class Build:
    """One index to build, and the ways in which it is then searched."""

    config: BackendConfig
    searches: tuple[SearchConfig | None, ...]


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly to measure.

    Attributes:
        k: neighbours asked for.
        batch: queries a call, in the batched measurement.
        repeats: passes over the queries; medians are taken over them.
        threads: threads of a build.
    """

    k: int = 10
    batch: int = 100
    repeats: int = 5
    threads: int = 1


def default_builds(n: int) -> tuple[Build, ...]:
    """Return the grid that n vectors deserve: each backend over its usual range."""
    nlist = max(1, min(int(2 * n**0.5), n // 39))
    probes = sorted({min(p, nlist) for p in (1, 2, 4, 8, 16, 32, 64)})
    efforts = ((0.1, 200), (0.2, 300), (0.4, 500), (0.6, 700), (0.8, 1000), (1.0, 2000))
    return (
        Build(ExactConfig(), (None,)),
        *(
            Build(
                AnnoyConfig(build=AnnoyBuild(n_trees=trees)),
                tuple(AnnoySearch(search_k=trees * each) for each in (20, 50, 100, 200, 400)),
            )
            for trees in (10, 50)
        ),
        Build(
            FaissConfig(build=FaissBuild(factory=f"IVF{nlist},Flat")),
            tuple(FaissSearch(nprobe=p) for p in probes),
        ),
        Build(
            SimHashConfig(),
            tuple(SimHashSearch(probe=probe, candidates=count) for probe, count in efforts),
        ),
    )


def smoke_builds(n: int) -> tuple[Build, ...]:
    """Return one build a backend and two searches each, to show that the instrument works."""
    return tuple(
        Build(build.config, build.searches[:: max(1, len(build.searches) - 1)])
        for build in default_builds(n)
        if not (isinstance(build.config, AnnoyConfig) and build.config.build.n_trees != 50)
    )


def sweep(
    data: SearchData,
    builds: tuple[Build, ...],
    effort: Effort,
    machine: Machine,
    progress: Progress,
) -> Iterator[Result]:
    """Measure every search of every build, and yield each result as soon as it is known.

    Raises:
        DataError: fewer than k vectors.
    """
    if effort.k > len(data.base):
        raise DataError(f"{data.name}: k = {effort.k} neighbours of {len(data.base)} vectors")
    truth = _ground_truth(data, effort)
    progress.start(f"measuring {data.name}", total=sum(len(build.searches) for build in builds))
    with tempfile.TemporaryDirectory(prefix="shelfmate-bench-") as scratch:
        for number, build in enumerate(builds):
            folder = Path(scratch) / str(number)
            built = _build(data, build.config, folder, effort)
            for search in build.searches:
                measured = _measure(data, folder, search, truth, effort)
                yield _result(data, build.config, search, effort, machine, built | measured)
                progress.advance()
    progress.finish()


def _ground_truth(data: SearchData, effort: Effort) -> Neighbors:
    exact = build_index(data.base, data.metric, ExactConfig(), seed=SEED, threads=effort.threads)
    return exact.search(data.queries, effort.k)


def _build(
    data: SearchData, config: BackendConfig, folder: Path, effort: Effort
) -> dict[str, float]:
    begun = time.perf_counter()
    index = build_index(data.base, data.metric, config, seed=SEED, threads=effort.threads)
    built = time.perf_counter()
    index.save(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"build_s": built - begun, "size_bytes": float(size)}


def _measure(
    data: SearchData,
    folder: Path,
    search: SearchConfig | None,
    truth: Neighbors,
    effort: Effort,
) -> dict[str, float]:
    begun = time.perf_counter()
    index = load_index(folder, search)
    loaded = time.perf_counter() - begun
    recall = recall_at_k(index.search(data.queries, effort.k), truth)
    single = time_search(index.search, data.queries, effort.k, batch=1, repeats=effort.repeats)
    batched = time_search(
        index.search, data.queries, effort.k, batch=effort.batch, repeats=effort.repeats
    )
    return {
        "recall": recall,
        "load_s": loaded,
        "single_per_s": single.queries_per_s,
        "single_low_per_s": 1 / single.high_s,
        "single_high_per_s": 1 / single.low_s,
        "single_p50_us": single.p50_s * 1e6,
        "single_p99_us": single.p99_s * 1e6,
        "batched_per_s": batched.queries_per_s,
        "batched_low_per_s": 1 / batched.high_s,
        "batched_high_per_s": 1 / batched.low_s,
    }


def _result(  # noqa: PLR0913 - the fields of a result
    data: SearchData,
    config: BackendConfig,
    search: SearchConfig | None,
    effort: Effort,
    machine: Machine,
    metrics: dict[str, float],
) -> Result:
    build = {} if isinstance(config, ExactConfig) else config.build.model_dump()
    knobs = build | (search.model_dump() if search else {})
    return Result(
        suite=SUITE,
        name=" ".join([config.kind, *(f"{key}={value}" for key, value in knobs.items())]),
        measured_at=datetime.now(UTC),
        machine=machine,
        data=data.name,
        config={
            "kind": config.kind,
            "build": build,
            "search": search.model_dump() if search else {},
            "k": effort.k,
            "batch": effort.batch,
            "repeats": effort.repeats,
            "build_threads": effort.threads,
            "queries": len(data.queries),
        },
        metrics=metrics,
    )
