from pathlib import Path

import numpy as np
import pytest

from indexer.backends import build_index, load_index
from indexer.backends.simhash import SimHash
from indexer.config import SimHashBuild, SimHashConfig, SimHashSearch
from indexer.index import Metric
from tests.clusters import clustered


def recall(index, queries, exact) -> float:
    rows = index.search(queries, 10).rows
    return float(np.mean([np.isin(t, r).mean() for t, r in zip(exact, rows, strict=True)]))


@pytest.mark.parametrize("knob", ["probe", "candidates"])
@pytest.mark.parametrize("tables", [1, 3])
def test_more_effort_finds_more(knob: str, tables: int):
    vectors, queries = clustered(4000, seed=1), clustered(40, seed=2)
    exact = np.argsort(-queries @ vectors.T, axis=1)[:, :10]
    build = SimHashBuild(tables=tables)
    efforts = {"probe": (0.02, 0.2, 1.0), "candidates": (1, 80, 1000)}[knob]
    recalls = []
    for effort in efforts:
        search = SimHashSearch().model_copy(update={"probe": 1.0, "candidates": 1000, knob: effort})
        config = SimHashConfig(build=build, search=search)
        index = build_index(vectors, Metric.INNER_PRODUCT, config, seed=1, threads=1)
        recalls.append(recall(index, queries, exact))
    assert recalls == sorted(recalls)
    assert recalls[0] < recalls[2]


def test_more_bits_name_the_candidates_better():
    vectors, queries = clustered(4000, seed=1), clustered(40, seed=2)
    exact = np.argsort(-queries @ vectors.T, axis=1)[:, :10]
    recalls = []
    for bits in (128, 512):
        config = SimHashConfig(
            build=SimHashBuild(bits=bits), search=SimHashSearch(probe=1.0, candidates=40)
        )
        index = build_index(vectors, Metric.INNER_PRODUCT, config, seed=1, threads=1)
        recalls.append(recall(index, queries, exact))
    assert recalls[0] < recalls[1]


def test_everything_is_read_when_the_buckets_hold_fewer_than_k():
    vectors = clustered(2000)
    config = SimHashConfig(search=SimHashSearch(probe=0.001, candidates=1))
    index = build_index(vectors, Metric.COSINE, config, seed=1, threads=1)
    answer = index.search(vectors[:3], 400)
    assert np.all(answer.rows >= 0)
    assert all(len(set(rows)) == 400 for rows in answer.rows.tolist())


def test_mapped_queries_are_answered(tmp_path: Path):
    vectors = clustered(300)
    np.save(tmp_path / "queries.npy", vectors[:5])
    build_index(vectors, Metric.COSINE, SimHashConfig(), seed=1, threads=1).save(tmp_path / "index")
    index = load_index(tmp_path / "index")
    assert isinstance(index, SimHash)
    answer = index.search(np.load(tmp_path / "queries.npy", mmap_mode="r"), 1)
    assert answer.rows[:, 0].tolist() == [0, 1, 2, 3, 4]
