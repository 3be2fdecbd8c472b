"""Annoy and FAISS as their own libraries are called, at settings from fast to thorough."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import faiss
import numpy as np
from annoy import AnnoyIndex

from artifacts.arrays import FloatMatrix, IntMatrix, unit_rows
from benchmarks.equal_recall import Contender

LIBRARY: Any = faiss
"""FAISS's own type information lacks what its wrapper adds."""

SEED = 1
TREES = (10, 50, 100, 200)
SEARCH_K = (2_500, 5_000, 10_000, 20_000, 40_000)
PROBES = (8, 12, 16, 24, 32, 48, 64, 96)
FAST_SCAN_PROBES = (8, 16, 24, 32, 48, 64)
K_FACTORS = (10, 20, 30, 40)
EF_SEARCH = (32, 64, 96, 128, 192)


def annoy_contenders(base: FloatMatrix, k: int) -> Iterator[Contender]:
    """Build forests of each size, one thread, and yield their settings."""
    for trees in TREES:
        forest = AnnoyIndex(base.shape[1], "angular")
        forest.set_seed(SEED)
        for row, vector in enumerate(base):
            forest.add_item(row, vector)
        forest.build(trees, n_jobs=1)
        for search_k in SEARCH_K:
            yield Contender(
                "annoy",
                {"n_trees": trees, "search_k": search_k},
                partial(_ask_forest, forest, k, search_k),
                partial(_padded, k),
            )


def _ask_forest(forest: Any, k: int, search_k: int, queries: FloatMatrix) -> list[list[int]]:
    return [forest.get_nns_by_vector(query, k, search_k) for query in queries]


def _padded(k: int, answers: list[list[int]]) -> IntMatrix:
    rows = np.full((len(answers), k), -1, dtype=np.int32)
    for line, answer in zip(rows, answers, strict=True):
        line[: len(answer)] = answer
    return rows


def flat_contenders(
    base: FloatMatrix, k: int, batch: int, probes_of_1024: Sequence[int] = PROBES
) -> Iterator[Contender]:
    """Build inverted files of whole vectors and yield their settings."""
    for cells in (1024, 2048):
        index = _built(f"IVF{cells},Flat", base)
        for probes in probes_of_1024:
            effort = LIBRARY.SearchParametersIVF(nprobe=probes * cells // 1024)
            knobs = {"nlist": cells, "nprobe": probes * cells // 1024}
            yield _faiss("faiss IVF-Flat", knobs, index, effort, (k, batch))


def fast_scan_contenders(
    base: FloatMatrix,
    k: int,
    batch: int,
    probes_of_1024: Sequence[int] = FAST_SCAN_PROBES,
    factors: Sequence[int] = K_FACTORS,
) -> Iterator[Contender]:
    """Build inverted files of 4-bit product codes, refined by whole vectors."""
    for cells in (512, 1024):
        index = _built(f"IVF{cells},PQ50x4fs,RFlat", base)
        for factor in factors:
            for probes in probes_of_1024:
                cell_effort = LIBRARY.SearchParametersIVF(nprobe=probes * cells // 1024)
                effort = LIBRARY.IndexRefineSearchParameters(
                    k_factor=factor, base_index_params=cell_effort
                )
                knobs = {"nlist": cells, "nprobe": probes * cells // 1024, "k_factor": factor}
                yield _faiss("faiss IVF-PQfs+refine", knobs, index, effort, (k, batch))


def graph_contenders(
    base: FloatMatrix, k: int, batch: int, efforts: Sequence[int] = EF_SEARCH
) -> Iterator[Contender]:
    """Build a graph of 32 links a row and yield its settings."""
    index = _built("HNSW32", base)
    for ef_search in efforts:
        effort = LIBRARY.SearchParametersHNSW(efSearch=ef_search)
        yield _faiss("faiss HNSW32", {"ef_search": ef_search}, index, effort, (k, batch))


def _built(factory: str, base: FloatMatrix) -> Any:
    index = faiss.index_factory(base.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
    vectors = unit_rows(base)
    index.train(vectors)
    index.add(vectors)
    return index


def _faiss(
    family: str, knobs: Mapping[str, float], index: Any, effort: Any, sizes: tuple[int, int]
) -> Contender:
    k, batch = sizes
    suffix = "" if batch == 1 else ", batched"
    return Contender(
        family + suffix,
        knobs,
        lambda queries: index.search(queries, k, params=effort),
        lambda answer: answer[1].astype(np.int32),
        batch,
    )
