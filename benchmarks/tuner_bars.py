"""Whether the tuner finds what a careful person finds: FAISS as it chooses it, beside a grid.

python -m benchmarks.tuner_bars --base base.npy --queries queries.npy
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import faiss
import numpy as np
import typer
from threadpoolctl import threadpool_limits

from artifacts.arrays import FloatMatrix, unit_rows
from benchmarks.data import SearchData, array_data
from benchmarks.equal_recall import Contender, Point, measure, rate_at
from benchmarks.rival_engines import fast_scan_contenders, flat_contenders, graph_contenders
from benchmarks.search_bars import true_rows
from benchmarks.search_record import Bar, K, Record
from indexer.backends import build_index
from indexer.config import BackendConfig
from indexer.index import Index, Metric
from indexer.native_threads import limit_native_threads
from indexer.target_config import TargetConfig
from indexer.tuning import MACHINE_CLOCKS, Question, Tuned, TuningTask, tune

SUITE = "tuner_bars"
RECALLS = (0.90, 0.95, 0.99)
NEEDED = 0.95
SEED = 1

PROBES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
FAST_SCAN_PROBES = (16, 32, 48, 64, 96, 128, 192, 256)
K_FACTORS = (10, 20, 40, 80)
EF_SEARCH = (32, 64, 96, 128, 192, 256, 512)


@dataclass(frozen=True, slots=True)
class RememberedBuilds:
    """Builds each index once: targets differ in what they choose, hardly in what they try."""

    built: dict[tuple[int, str], Index] = field(default_factory=dict)

    def __call__(
        self,
        vectors: FloatMatrix,
        metric: Metric,
        config: BackendConfig,
        *,
        seed: int,
        threads: int,
    ) -> Index:
        """Return the index of such vectors and settings; samples of one size are the same here."""
        key = len(vectors), config.model_dump_json()
        if key not in self.built:
            self.built[key] = build_index(vectors, metric, config, seed=seed, threads=threads)
        return self.built[key]


def grid(base: FloatMatrix, batch: int, threads: int) -> list[Contender]:
    """Build what a person would try: IVF-Flat, IVF-PQ with fast scan and refiner, HNSW."""
    limit_native_threads(threads)
    return [
        *flat_contenders(base, K, batch, PROBES),
        *fast_scan_contenders(base, K, batch, FAST_SCAN_PROBES, K_FACTORS),
        *graph_contenders(base, K, batch, EF_SEARCH),
    ]


def tuned_contender(tuned: Tuned, recall: float, batch: int) -> Contender:
    """Return what the tuner has chosen for a recall, searched through our protocol."""
    index: Index = tuned.index
    return Contender(
        f"tuned for {recall:g}",
        {"recall": recall},
        lambda queries: index.search(queries, K),
        lambda answer: answer.rows,
        batch,
    )


def bars_of(grid_points: Sequence[Point], tuned_points: Sequence[Point]) -> list[Bar]:
    """Compare each choice with the fastest of the grid.

    The grid is read at the recall that was asked for, or at that of the choice where it is lower,
    since rates rise as recalls fall.
    """
    bars = []
    for point in tuned_points:
        asked = point.contender.knobs["recall"]
        best = rate_at(grid_points, min(asked, point.recall))
        value = point.rate / best if best is not None else np.nan
        bars.append(Bar(f"tuned / best of the grid at recall {asked:.2f}", value, NEEDED))
    return bars


def run_tuner_bars(data: SearchData, record: Record, batch: int, threads: int) -> list[Bar]:
    """Tune for each recall, build the grid, and time all of them in turn on one thread.

    Args:
        data: vectors to search, compared by cosine, and queries that are none of them.
        record: where results go, and how many passes are made.
        batch: queries a call, for the tuner as for the grid.
        threads: of builds.
    """
    truth, queries = true_rows(data), unit_rows(data.queries)
    own = np.arange(len(data.base), dtype=np.int32)
    question = Question(data.base, data.base, own, data.metric)
    chosen, builds = [], RememberedBuilds()
    for recall in RECALLS:
        target = TargetConfig(recall=recall, engines=("faiss",), batch=batch)
        found = tune(TuningTask(question, target, SEED, threads, MACHINE_CLOCKS, builds))
        record.keep(f"tuning for {recall:g}", found.report.model_dump(mode="json"), {})
        print(f"tuned for {recall:g}: {found.config} ({found.report.why})", flush=True)
        chosen.append(tuned_contender(found, recall, batch))
    contenders = [*chosen, *grid(data.base, batch, threads)]
    limit_native_threads(1)
    with threadpool_limits(1):
        points = measure(contenders, queries, truth, record.passes)
    record.keep_points(points)
    bars = bars_of(points[len(chosen) :], points[: len(chosen)])
    for point, bar in zip(points, bars, strict=False):
        print(f"{bar.line()}; recall {point.recall:.4f}, {point.rate:,.0f} queries/s", flush=True)
        record.keep_bar(bar)
    return bars


def main(  # noqa: PLR0913 - the options of a command are its parameters
    base: Annotated[Path, typer.Option(help="Vectors to search, a .npy matrix.")],
    queries: Annotated[Path, typer.Option(help="Queries, a .npy matrix of the same width.")],
    results: Annotated[Path, typer.Option(help="File of JSON lines to append to.")] = Path(
        "benchmarks/results/tuner.jsonl"
    ),
    passes: Annotated[int, typer.Option(help="Passes; medians are compared.", min=1)] = 3,
    query_count: Annotated[int | None, typer.Option(help="Queries at most.")] = 1000,
    base_count: Annotated[int | None, typer.Option(help="Vectors at most.")] = None,
    batch: Annotated[int, typer.Option(help="Queries of a call.", min=1)] = 1,
) -> None:
    """Measure the bars of the tuner and print each as met or not."""
    data = array_data(base, queries, Metric.COSINE, limit=query_count)
    if base_count is not None:
        data = SearchData.of(base.stem, data.base[:base_count], data.queries, data.metric)
    run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    threads = faiss.omp_get_max_threads()
    run_tuner_bars(data, Record(results, data, passes, run, SUITE), batch, threads)


if __name__ == "__main__":
    typer.run(main)
