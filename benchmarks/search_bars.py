"""Whether SimHash keeps what it promises, beside Annoy and FAISS, in one run on one machine."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated

import faiss
import numpy as np
import typer
from threadpoolctl import threadpool_limits

from artifacts.arrays import IntMatrix
from benchmarks.data import SearchData, array_data
from benchmarks.equal_recall import Point, by_family, measure, rate_at
from benchmarks.hamming_scan import hamming_scan
from benchmarks.rival_engines import (
    annoy_contenders,
    fast_scan_contenders,
    flat_contenders,
    graph_contenders,
)
from benchmarks.search_record import Bar, K, Record
from benchmarks.simhash_growth import growth_bar
from benchmarks.simhash_steps import hamming_contenders, look_up_contenders, simhash_contenders
from indexer.backends import build_index
from indexer.config import ExactConfig
from indexer.index import Metric

BATCH = 100
RECALLS = (0.90, 0.95)


def speed_bars(data: SearchData, record: Record) -> list[Bar]:
    """Compare rates at equal recall, all engines and all steps of SimHash in one measurement."""
    truth = true_rows(data)
    contenders = [
        *annoy_contenders(data.base, K),
        *hamming_contenders(data.base, K),
        *look_up_contenders(data.base, K),
    ]
    for batch in (1, BATCH):
        contenders += [
            *flat_contenders(data.base, K, batch),
            *fast_scan_contenders(data.base, K, batch),
            *simhash_contenders(data.base, K, batch),
            *simhash_contenders(data.base, K, batch, tables=2),
        ]
    contenders += [
        *graph_contenders(data.base, K, 1),
        *simhash_contenders(data.base, K, 1, bits=256),
    ]
    points = measure(contenders, data.queries, truth, record.passes)
    record.keep_points(points)
    return bars_of(points)


def true_rows(data: SearchData) -> IntMatrix:
    """Return the (q, k) exact answer."""
    exact = build_index(data.base, data.metric, ExactConfig(), seed=1, threads=1)
    return exact.search(data.queries, K).rows


def bars_of(points: Sequence[Point]) -> list[Bar]:
    """Return the bars on rates at equal recall."""
    families = by_family(points)

    def best(recall: float, *prefixes: str, batched: bool = False) -> float:
        rates = [
            rate_at(of_family, recall)
            for family, of_family in families.items()
            if family.startswith(prefixes) and family.endswith(", batched") == batched
        ]
        return max((rate for rate in rates if rate is not None), default=np.nan)

    bars = []
    for recall in RECALLS:
        ours, batched = best(recall, "simhash"), best(recall, "simhash", batched=True)
        at = f"at recall {recall:.2f}"
        bars += [
            Bar(f"simhash / Annoy {at}", ours / best(recall, "annoy"), 10),
            Bar(f"simhash / FAISS IVF-Flat {at}", ours / best(recall, "faiss IVF-Flat"), 1.5),
            Bar(f"simhash / best FAISS {at} (aim)", ours / best(recall, "faiss"), 1),
            Bar(f"batches of {BATCH} / single {at}", batched / ours, 3),
            Bar(
                f"simhash / best FAISS, batched, {at} (aim)",
                batched / best(recall, "faiss", batched=True),
                1,
            ),
        ]
    return bars


def kernel_bar(n: int, record: Record) -> Bar:
    """Compare the Hamming kernel at 256 bits with FAISS: the nearest of n random codes."""
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 2**64, (4, n), dtype=np.uint64)
    query = rng.integers(0, 2**64, 4, dtype=np.uint64)
    index = faiss.IndexBinaryFlat(256)
    index.add(np.ascontiguousarray(codes.T).view(np.uint8))
    as_bytes = query[np.newaxis].view(np.uint8)

    ours = _seconds(lambda: hamming_scan(codes, query), record.passes) / n
    theirs = _seconds(lambda: index.search(as_bytes, 1), record.passes) / n
    config = {"bits": 256, "codes": n}
    record.keep("Hamming kernel", config, {"ours_ns": ours * 1e9, "faiss_ns": theirs * 1e9})
    return Bar("Hamming kernel, 256 bits / FAISS IndexBinaryFlat, per code", theirs / ours, 2)


def _seconds(call: Callable[[], object], passes: int) -> float:
    """Return the seconds of the median of 20 calls a pass, after a first one that compiles."""
    call()
    times = []
    for _ in range(20 * passes):
        begun = perf_counter()
        call()
        times.append(perf_counter() - begun)
    return float(np.median(times))


def run_search_bars(data: SearchData, record: Record, growth_rows: int | None) -> list[Bar]:
    """Measure every bar, print it as soon as it is known, and keep the records.

    Args:
        data: vectors to search, compared by cosine.
        record: where results go, and how many passes are made.
        growth_rows: rows of the large end of the growth bar; None leaves it out.
    """
    faiss.omp_set_num_threads(1)
    with threadpool_limits(1):
        bars = [*speed_bars(data, record), kernel_bar(len(data.base), record)]
        _tell(bars, record)
        if growth_rows is not None:
            bars.append(growth_bar(data, growth_rows, record))
            _tell(bars[-1:], record)
    return bars


def _tell(bars: Sequence[Bar], record: Record) -> None:
    for bar in bars:
        print(bar.line(), flush=True)
        record.keep_bar(bar)


def main(  # noqa: PLR0913 - the options of a command are its parameters
    base: Annotated[Path, typer.Option(help="Vectors to search, a .npy matrix.")],
    queries: Annotated[Path, typer.Option(help="Queries, a .npy matrix of the same width.")],
    results: Annotated[Path, typer.Option(help="File of JSON lines to append to.")] = Path(
        "benchmarks/results/search.jsonl"
    ),
    passes: Annotated[int, typer.Option(help="Passes; medians are compared.", min=1)] = 5,
    query_count: Annotated[int | None, typer.Option(help="Queries at most.")] = None,
    growth_rows: Annotated[
        int | None, typer.Option(help="Rows of the large end of the growth bar; 4 GB for 10 M.")
    ] = None,
) -> None:
    """Measure the search bars and print each as met or not."""
    data = array_data(base, queries, Metric.COSINE, limit=query_count)
    run_search_bars(
        data, Record(results, data, passes, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"), growth_rows
    )


if __name__ == "__main__":
    typer.run(main)
