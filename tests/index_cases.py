"""Backends with the settings that the contract is held against, on N vectors of DIM dimensions."""

import atexit
import shutil
import tempfile
from functools import cache
from typing import NamedTuple

from indexer.config import (
    AnnoyBuild,
    AnnoyConfig,
    AnnoySearch,
    BackendConfig,
    ExactConfig,
    FaissBuild,
    FaissConfig,
    FaissSearch,
    SimHashConfig,
    SimHashSearch,
)
from indexer.index import Metric
from indexer.milvus_config import MilvusBuild, MilvusConfig, MilvusSearch

N, DIM = 3000, 24


class Case(NamedTuple):
    usual: BackendConfig
    """Settings of which recall is expected."""
    full: BackendConfig
    """Settings that leave no vector out."""
    floors: tuple[float, float]
    """Recall@10 for cosine and inner product that the usual settings must reach, about 0.05 below
    what was measured."""

    def floor(self, metric: Metric) -> float:
        return self.floors[list(Metric).index(metric)]


def faiss(factory: str, **search: int) -> FaissConfig:
    return FaissConfig(build=FaissBuild(factory=factory), search=FaissSearch(**search))


CASES = {
    "exact": Case(ExactConfig(), ExactConfig(), (1.0, 1.0)),
    "annoy": Case(
        AnnoyConfig(build=AnnoyBuild(n_trees=10), search=AnnoySearch(search_k=600)),
        AnnoyConfig(build=AnnoyBuild(n_trees=4), search=AnnoySearch(search_k=10**8)),
        (0.93, 0.88),
    ),
    "faiss cells": Case(
        FaissConfig(search=FaissSearch(nprobe=10)),
        FaissConfig(build=FaissBuild(factory="IVF7,Flat"), search=FaissSearch(nprobe=7)),
        (0.94, 0.87),
    ),
    "faiss codes": Case(
        faiss("IVF,PQx4fs,RFlat", nprobe=10, k_factor=20),
        faiss("IVF7,PQx4fs,RFlat", nprobe=7, k_factor=N),
        (0.94, 0.87),
    ),
    "faiss graph": Case(
        faiss("HNSW16", ef_search=64), faiss("HNSW16", ef_search=10**9), (0.94, 0.87)
    ),
    "faiss small graph": Case(
        faiss("HNSW16,SQ8", ef_search=64, k_factor=2),
        faiss("HNSW16,SQ8", ef_search=10**9),
        (0.94, 0.87),
    ),
    "faiss bits": Case(
        faiss("IVF,RaBitQ", nprobe=10, k_factor=20),
        faiss("IVF7,RaBitQ", nprobe=7, k_factor=N),
        (0.94, 0.87),
    ),
    "faiss turned bits": Case(
        faiss("RR,IVF,RaBitQfs", nprobe=10, k_factor=20),
        faiss("RR,IVF7,RaBitQfs", nprobe=7, k_factor=N),
        (0.94, 0.87),
    ),
    "simhash": Case(
        SimHashConfig(search=SimHashSearch(probe=0.5, candidates=100)),
        SimHashConfig(search=SimHashSearch(probe=1, candidates=10**9)),
        (0.95, 0.83),
    ),
}


def case_of(kind: str) -> Case:
    return milvus_case() if kind == "milvus" else CASES[kind]


@cache
def milvus_case() -> Case:
    folder = tempfile.mkdtemp(prefix="shelfmate-milvus-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    uri = f"{folder}/lite.db"
    cells = MilvusBuild(uri=uri, index="IVF_FLAT", parameters={"nlist": 50})
    return Case(
        MilvusConfig(build=cells, search=MilvusSearch(parameters={"nprobe": 10})),
        MilvusConfig(build=MilvusBuild(uri=uri, index="FLAT")),
        (0.9, 0.8),
    )
