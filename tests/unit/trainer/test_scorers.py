from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.relation import Relation
from tests.clusters import clustered
from tests.made_artifacts import embedding_table
from trainer.scorers import CoOccurrenceScorer, EmbeddingScorer, PopularityScorer

ROWS = np.array([1, 4, 5, 9], dtype=np.int32)
QUERIES = np.array([9, 1, 9], dtype=np.int32)


def test_continuations_are_inner_products_of_input_and_output():
    table = embedding_table(ROWS, clustered(4, seed=1), clustered(4, seed=2))
    assert table.outputs is not None
    scores = EmbeddingScorer(table, Relation.CONTINUATIONS, "c").scores(QUERIES)
    expected = [
        [float(table.vectors[query] @ output) for output in table.outputs] for query in (3, 0, 3)
    ]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_alternatives_are_cosines_of_input_vectors():
    table = embedding_table(ROWS, clustered(4, seed=1), clustered(4, seed=2))
    scores = EmbeddingScorer(table, Relation.ALTERNATIVES, "a").scores(QUERIES)
    norms = np.linalg.norm(table.vectors, axis=1)
    cosines = table.vectors @ table.vectors.T / np.outer(norms, norms)
    np.testing.assert_allclose(scores, cosines[[3, 0, 3]], atol=1e-6)


def test_popular_items_are_the_same_for_every_query():
    scorer = PopularityScorer(np.array([0, 7, 0, 3], dtype=np.int32))
    assert list(scorer.rows) == [1, 3]
    np.testing.assert_array_equal(scorer.scores(np.array([3, 1], np.int32)), [[7, 3], [7, 3]])


@pytest.fixture
def sessions(tmp_path: Path) -> tuple[Path, list[list[int]]]:
    rng = np.random.default_rng(0)
    lists = [rng.integers(0, 25, rng.integers(1, 9)).tolist() for _ in range(120)]
    path = tmp_path / "sessions.parquet"
    pq.write_table(pa.table({"items": pa.array(lists, pa.list_(pa.int32()))}), path)
    return path, lists


def test_co_occurrence_counts_sessions_with_both_over_the_damped_popularity(sessions):
    path, lists = sessions
    scorer = CoOccurrenceScorer(path, items=30, smoothing=20)
    held = [set(items) for items in lists]
    assert list(scorer.rows) == sorted(set.union(*held))
    queries = scorer.rows[[3, 0, 20]]
    for query, scores in zip(queries, scorer.scores(queries), strict=True):
        for row, score in zip(scorer.rows, scores, strict=True):
            both = sum(query in items and row in items for items in held)
            alone = sum(row in items for items in held)
            expected = both / np.sqrt(alone + 20) if both else -np.inf
            assert score == pytest.approx(expected, rel=1e-6)
