"""How the cost of a SimHash search grows with the number of rows."""

from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from artifacts.arrays import FloatMatrix, IntMatrix, unit_rows
from artifacts.neighbors import Neighbors
from benchmarks.data import SearchData
from benchmarks.equal_recall import Contender, Point, measure, rate_at
from benchmarks.noisy_rows import noisy_rows
from benchmarks.search_record import Bar, K, Record
from benchmarks.simhash_steps import searched_with
from indexer.backends import build_index, load_index
from indexer.backends.simhash import SimHash
from indexer.config import SimHashConfig
from indexer.index import Metric

EXPONENT = 0.6
RECALL = 0.90
QUERIES = 500
FEWER_OR_MORE = (0.4, 0.55, 0.75, 1.0, 1.25)
CANDIDATES = (350, 500, 800, 1500, 2500, 4000)


def growth_bar(data: SearchData, rows: int, record: Record) -> Bar:
    """Compare the cost of a query over the base with that over `rows` noisy copies of it."""
    start = len(data.base)
    costs = [_query_cost(data, n, record) for n in (start, rows)]
    exponent = float(np.log(costs[1] / costs[0]) / np.log(rows / start))
    name = f"exponent of growth from {start:,} to {rows:,} rows at recall {RECALL:.2f}"
    return Bar(name, exponent, EXPONENT, most=True)


def _query_cost(data: SearchData, n: int, record: Record) -> float:
    """Return seconds a query at the recall, NaN if no setting tried reaches it."""
    queries = unit_rows(data.queries[:QUERIES])
    vectors, truth = noisy_rows(data.base, n, queries, K, seed=1)
    begun = perf_counter()
    index = build_index(vectors, Metric.COSINE, SimHashConfig(), seed=1, threads=2)
    built = perf_counter() - begun
    del vectors  # the index has its own
    with TemporaryDirectory(prefix="shelfmate-growth-") as folder:
        index.save(Path(folder))
        del index
        mapped = load_index(Path(folder))  # as it is served
        assert isinstance(mapped, SimHash), "bug: another kind of index was loaded"
        points = _points(mapped, n / len(data.base), queries, truth, record.passes)
    record.keep_points(points)
    cost = 1 / (rate_at(points, RECALL) or np.nan)
    config = {"rows": n, "tables": len(mapped.tables.offsets)}
    record.keep("growth", config, {"build_s": built, "query_us": cost * 1e6})
    return cost


def _points(
    index: SimHash, times: float, queries: FloatMatrix, truth: IntMatrix, passes: int
) -> list[Point]:
    usual = 0.4 / len(index.tables.offsets) / times**EXPONENT
    contenders = []
    for share, candidates in product(FEWER_OR_MORE, CANDIDATES):
        searched = searched_with(index, usual * share, candidates)
        contenders.append(
            Contender(
                f"simhash of {len(index)} rows",
                {"probe": usual * share, "candidates": candidates},
                partial(_search, searched),
                _rows,
            )
        )
    return measure(contenders, queries, truth, passes)


def _search(index: SimHash, queries: FloatMatrix) -> Neighbors:
    return index.search(queries, K)


def _rows(answer: Neighbors) -> IntMatrix:
    return answer.rows
