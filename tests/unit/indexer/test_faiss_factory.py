import pytest

from artifacts.errors import ConfigError
from indexer.backends import build_index
from indexer.backends.faiss_factory import cell_count, fitted_factory
from indexer.config import FaissBuild, FaissConfig
from indexer.index import Metric
from tests.clusters import clustered


@pytest.mark.parametrize(
    ("n", "cells"), [(1, 1), (38, 1), (78, 2), (6084, 156), (10_000, 200), (1_000_000, 2000)]
)
def test_cells_grow_with_the_square_root_and_hold_enough_vectors(n: int, cells: int):
    assert cell_count(n) == cells


@pytest.mark.parametrize(
    ("factory", "n", "dim", "fitted"),
    [
        ("IVF,Flat", 10_000, 24, "IVF200,Flat"),
        ("IVF64,Flat", 5, 24, "IVF5,Flat"),
        ("IVF64,Flat", 1000, 24, "IVF64,Flat"),
        ("IVF_HNSW32,Flat", 10_000, 24, "IVF200_HNSW32,Flat"),
        ("IVF,PQx4fs,RFlat", 10_000, 100, "IVF200,PQ50x4fs"),
        ("IVF,PQx4fs,Refine(Flat)", 10_000, 27, "IVF200,PQ9x4fs"),
        ("IVF,PQx4fsr", 10_000, 7, "IVF200,PQ7x4fsr"),
        ("IVF16,PQ6x4fs", 10_000, 24, "IVF16,PQ6x4fs"),
        ("PQ6", 10_000, 24, "PQ6x8"),
        ("IVF2,PQx4fs", 15, 24, "IVF2,Flat"),
        ("PQ6", 255, 24, "Flat"),
        ("HNSW32,SQ8", 10_000, 24, "HNSW32,SQ8"),
        ("OPQ12,IVF2,Flat", 255, 24, "IVF2,Flat"),
        ("RR,IVF2,RaBitQ", 255, 24, "RR24,IVF2,RaBitQ"),
        ("OPQ12,IVF,RaBitQ", 10_000, 24, "OPQ12,IVF200,RaBitQ"),
    ],
)
def test_factory_is_fitted_to_the_vectors(factory: str, n: int, dim: int, fitted: str):
    assert fitted_factory(factory, n, dim) == fitted


@pytest.mark.parametrize("factory", ["NoSuchIndex", "IVF,PQ7x4fs", "LSH", "IVF,", "HNSW32,,"])
def test_factory_that_cannot_be_built_is_named(factory: str):
    config = FaissConfig(build=FaissBuild(factory=factory))
    with pytest.raises(ConfigError, match=f"300 vectors of 24 dimensions, got '{factory}'"):
        build_index(clustered(300), Metric.COSINE, config, seed=1, threads=1)
