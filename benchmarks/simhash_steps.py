"""SimHash with and without each of its ideas, to tell what each one brings."""

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numba import njit

from artifacts.arrays import FloatMatrix, IntMatrix
from artifacts.neighbors import Neighbors
from benchmarks.equal_recall import Contender
from benchmarks.hamming_scan import search_codes, sign_codes
from indexer.backends import build_index
from indexer.backends.simhash import SimHash
from indexer.backends.simhash_kernels import Effort, find_candidates
from indexer.backends.simhash_planes import random_frame
from indexer.backends.simhash_scratch import Scratch
from indexer.backends.simhash_tables import SimHashTables
from indexer.config import SimHashBuild, SimHashConfig, SimHashSearch
from indexer.index import Metric
from indexer.rescoring_kernels import rank

SEED = 1
HAMMING_CANDIDATES = (400, 600, 900, 1400, 2000, 3000)
CANDIDATES = (250, 350, 450, 600, 800, 1100)
PROBES = {1: (0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0), 2: (0.06, 0.1, 0.15, 0.2, 0.3, 0.4)}


def hamming_contenders(base: FloatMatrix, k: int, *, bits: int = 256) -> Iterator[Contender]:
    """Yield the plain scan: every code by Hamming distance, the nearest scored exactly."""
    index = _built(base, 1, 128)
    planes = random_frame(bits, base.shape[1], np.random.default_rng(SEED))
    vectors = index.store.vectors
    centre = index.tables.centre
    codes = np.ascontiguousarray(sign_codes(vectors - centre, planes).T)

    def search(wanted: int, queries: FloatMatrix) -> Neighbors:
        queries = index.store.normalised(queries, k)
        best = Neighbors.empty(len(queries), k)
        of_queries = sign_codes(queries - centre, planes)
        search_codes(codes, of_queries, vectors, queries, wanted, 1.0, best.rows, best.scores)
        return best

    for wanted in HAMMING_CANDIDATES:
        knobs = {"bits": bits, "candidates": wanted}
        yield Contender("Hamming scan", knobs, partial(search, wanted), _rows)


@njit(nogil=True, cache=True)
def _search_without_rough_copy(  # noqa: PLR0913 - kernels take arrays, not objects
    tables: SimHashTables,
    vectors: FloatMatrix,
    queries: FloatMatrix,
    effort: Effort,
    scratch: Scratch,
    out_rows: IntMatrix,
    out_scores: FloatMatrix,
) -> None:
    for i in range(queries.shape[0]):
        count = find_candidates(tables, queries[i], effort, scratch)
        rank(vectors, queries[i], scratch.rows[:count], 1.0, out_rows[i], out_scores[i])


def look_up_contenders(base: FloatMatrix, k: int) -> Iterator[Contender]:
    """Yield look-ups of all codes, scored by whole vectors: no buckets and no rough copy."""
    index = _built(base, 1, 128)
    buckets = index.tables.offsets.shape[1] - 1

    def search(wanted: int, queries: FloatMatrix) -> Neighbors:
        queries = index.store.normalised(queries, k)
        best = Neighbors.empty(len(queries), k)
        _search_without_rough_copy(
            index.tables,
            index.store.vectors,
            queries,
            Effort(buckets, wanted),
            index._scratch(),
            best.rows,
            best.scores,
        )
        return best

    for wanted in CANDIDATES:
        knobs = {"bits": 128, "candidates": wanted}
        yield Contender("look-ups, all codes", knobs, partial(search, wanted), _rows)


def simhash_contenders(
    base: FloatMatrix, k: int, batch: int, *, tables: int = 1, bits: int = 128
) -> Iterator[Contender]:
    """Yield the index as it is, over its search settings."""
    index = _built(base, tables, bits)
    suffix = "" if batch == 1 else ", batched"
    for probe, candidates in product(PROBES[tables], CANDIDATES):
        searched = searched_with(index, probe, candidates)
        yield Contender(
            f"simhash bits={bits} tables={tables}{suffix}",
            {"probe": probe, "candidates": candidates},
            partial(_search, searched, k),
            _rows,
            batch,
        )


def searched_with(index: SimHash, probe: float, candidates: int) -> SimHash:
    """Return the same index with other search settings."""
    search = SimHashSearch(probe=probe, candidates=candidates)
    config = index.config.model_copy(update={"search": search})
    return SimHash(index.store, index.tables, config, index.local)


def _built(base: FloatMatrix, tables: int, bits: int) -> SimHash:
    config = SimHashConfig(build=SimHashBuild(tables=tables, bits=bits))
    index = build_index(base, Metric.COSINE, config, seed=SEED, threads=1)
    assert isinstance(index, SimHash), "bug: another kind of index was built"
    return index


def _search(index: SimHash, k: int, queries: FloatMatrix) -> Neighbors:
    return index.search(queries, k)


def _rows(answer: Any) -> IntMatrix:
    rows: IntMatrix = answer.rows
    return rows
