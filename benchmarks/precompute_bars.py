"""Neighbours of everything, filter and write included, against raw batched FAISS on all cores.

python -m benchmarks.precompute_bars BASE
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from artifacts.arrays import unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from benchmarks.data import SearchData, array_data
from benchmarks.growth_case import private_peak
from benchmarks.machine import describe_machine
from benchmarks.results import Result, append_result
from benchmarks.search_record import Bar
from indexer.backends import build_index
from indexer.backends.faiss_engine import FaissEngine
from indexer.bands import Limits, limits_of
from indexer.bands_config import Band
from indexer.config import FaissConfig, FaissSearch
from indexer.index import Metric
from indexer.native_threads import limit_native_threads
from indexer.precompute import (
    BlockStores,
    ListsMeans,
    ListsRequest,
    OnThreads,
    precompute_neighbors,
)
from indexer.precompute.query_order import near_together
from indexer.row_index import RowIndex
from indexer.space_index import SpaceIndex

BAR = 0.85
BATCH = 1024
BAND = Band(max_to_source=0.95, max_between=0.9, min_similarity=0.2)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Contest:
    """One index, asked for the neighbours of its own items in two ways.

    Attributes:
        data: its vectors.
        index: as it is served.
        k: neighbours of each item.
        threads: of either way.
    """

    data: SearchData
    index: FaissEngine
    k: int
    threads: int

    def raw(self, *, ordered: bool = False) -> None:
        """Ask FAISS in batches and do nothing with the answers.

        Args:
            ordered: ask in the order in which tables are computed, not in that of the file.
        """
        vectors = unit_rows(self.data.base)
        if ordered:
            positions = np.arange(len(vectors), dtype=np.int32)
            vectors = vectors[near_together(vectors, positions, seed=0)]
        limit_native_threads(self.threads)
        for start in range(0, len(vectors), BATCH):
            batch = vectors[start : start + BATCH]
            self.index.engine.search(batch, self.k + 1, params=self.index.parameters)

    def ours(self, band: Band | None) -> float:
        """Compute a table as a build does; return its bytes an item."""
        n = len(self.data.base)
        rows = np.arange(n, dtype=np.int32)
        table = EmbeddingTable("space", rows, self.data.base)
        parts = {"*": RowIndex(self.index, rows)}
        limits = None if band is None else Limits(limits_of(band)[None], np.zeros(n, np.int32))
        index = SpaceIndex("space", Relation.ALTERNATIVES, parts)
        request = ListsRequest(table, index, self.k, n, limits)
        with TemporaryDirectory(prefix="shelfmate-lists-") as name:
            folder = Path(name)
            with BlockStores(folder / "stores") as stores:
                means = ListsMeans(OnThreads(self.threads), stores)
                lists = precompute_neighbors(
                    request, means, folder / "lists", progress=SilentProgress()
                )
        return lists.bytes_per_item


@app.command()
def run(  # noqa: PLR0913 - the options of a command are its parameters
    base: Annotated[Path, typer.Argument(help="Vectors, a .npy matrix.")],
    k: Annotated[int, typer.Option("-k", help="Neighbours of each item.", min=1)] = 10,
    nprobe: Annotated[int, typer.Option(help="Cells visited.", min=1)] = 32,
    items: Annotated[int | None, typer.Option(help="Take the first so many vectors.")] = None,
    repeats: Annotated[int, typer.Option(help="Runs of each; medians count.", min=1)] = 3,
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = Path(
        "benchmarks/results/precompute.jsonl"
    ),
) -> None:
    """Let raw FAISS, the table, and the table with bands take turns."""
    data = array_data(base, base, Metric.COSINE, limit=1)
    if items is not None:
        data = SearchData.of(
            f"{base.stem} first", data.base[:items].copy(), data.queries, data.metric
        )
    config = FaissConfig(search=FaissSearch(nprobe=nprobe))
    threads = os.cpu_count() or 1
    index = build_index(data.base, Metric.COSINE, config, seed=1, threads=threads)
    assert isinstance(index, FaissEngine), "bug: another backend than asked for"
    contest = Contest(data, index, k, threads)
    contest.ours(BAND)  # compiles the kernels
    with private_peak() as peak:
        bytes_per_item = contest.ours(BAND)
    beside = {"per_item_bytes": bytes_per_item, "peak_private_bytes": float(peak[0])}
    seconds: dict[str, list[tuple[float, float]]] = {
        "raw": [],
        "raw_ordered": [],
        "open": [],
        "banded": [],
    }
    for _ in range(repeats):
        seconds["raw"].append(_timed(contest.raw))
        seconds["raw_ordered"].append(_timed(lambda: contest.raw(ordered=True)))
        seconds["open"].append(_timed(lambda: contest.ours(None)))
        seconds["banded"].append(_timed(lambda: contest.ours(BAND)))
    _tell(contest, seconds, beside, results)


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return seconds of the wall and of all cores."""
    begun, busy = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begun, time.process_time() - busy


def _tell(
    contest: Contest,
    seconds: dict[str, list[tuple[float, float]]],
    beside: dict[str, float],
    path: Path,
) -> None:
    n = len(contest.data.base)
    metrics = {
        f"{name}_per_s": n / median(wall for wall, _ in times) for name, times in seconds.items()
    }
    metrics |= beside
    bars = []
    for name, what in (("open", "no bands"), ("banded", "with bands")):
        # Neighbouring runs are compared, so that a machine that slows down slows down both.
        pairs = list(zip(seconds["raw"], seconds[name], strict=True))
        metrics[f"{name}_of_raw"] = median(raw[0] / own[0] for raw, own in pairs)
        in_our_order = zip(seconds["raw_ordered"], seconds[name], strict=True)
        metrics[f"{name}_of_raw_ordered"] = median(raw[0] / own[0] for raw, own in in_our_order)
        # Tells more than the wall where other processes take the cores.
        metrics[f"{name}_cpu_of_raw"] = median(raw[1] / own[1] for raw, own in pairs)
        name_of_bar = f"neighbours of everything, {what} / raw batched FAISS"
        bars.append(Bar(name_of_bar, metrics[f"{name}_of_raw"], BAR))
    print({name: round(value, 2) for name, value in metrics.items()})
    for bar in bars:
        print(bar.line())
    config = {
        "k": contest.k,
        "threads": contest.threads,
        "batch": BATCH,
        "repeats": len(seconds["raw"]),
        "backend": contest.index.config.model_dump(mode="json"),
        "bands": BAND.model_dump(mode="json"),
        "load_average": os.getloadavg()[0],
    }
    result = Result(
        suite="precompute",
        name="neighbours of everything",
        measured_at=datetime.now(UTC),
        machine=describe_machine(),
        data=contest.data.name,
        config=config,
        metrics=metrics,
    )
    append_result(path, result)


if __name__ == "__main__":
    app()
