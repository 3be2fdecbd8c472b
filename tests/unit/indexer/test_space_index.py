from pathlib import Path

import numpy as np
import pytest

from artifacts.accuracy import Accuracy
from artifacts.arrays import IntVector
from artifacts.errors import ArtifactError, UnsupportedError
from artifacts.manifest import Json
from artifacts.neighbors import Neighbors
from artifacts.relation import Relation
from indexer.backends import build_index
from indexer.config import ExactConfig, FaissConfig, FaissSearch
from indexer.index import Metric
from indexer.row_index import RowIndex
from indexer.space_index import SpaceIndex, merge_best
from tests.clusters import clustered

VECTORS = clustered(60, seed=1)
QUERIES = clustered(5, seed=2)
ROWS = np.arange(0, 180, 3, dtype=np.int32)


def row_index(positions: IntVector) -> RowIndex:
    index = build_index(VECTORS[positions], Metric.COSINE, ExactConfig(), seed=0, threads=1)
    return RowIndex(index, ROWS[positions])


def space(*categories: str) -> SpaceIndex:
    """Return a space of which the categories take the vectors in turn."""
    parts = {
        category: row_index(np.arange(i, 60, len(categories), dtype=np.int32))
        for i, category in enumerate(categories)
    }
    return SpaceIndex("cf", Relation.ALTERNATIVES, parts)


def test_row_index_answers_in_vocabulary_rows_and_keeps_padding():
    answer = row_index(np.array([2, 5, 7], dtype=np.int32)).search(VECTORS[5:6], 4)
    assert answer.rows[0, 0] == ROWS[5]
    assert set(answer.rows[0, :3].tolist()) == set(ROWS[[2, 5, 7]].tolist())
    assert (answer.rows[0, 3], answer.scores[0, 3]) == (-1, -np.inf)
    assert answer.rows.dtype == np.int32


def test_row_index_opens_as_it_was_saved(tmp_path: Path):
    index = row_index(np.arange(10, dtype=np.int32))
    index.save(tmp_path)
    opened = RowIndex.open(tmp_path)
    np.testing.assert_array_equal(opened.search(QUERIES, 3).rows, index.search(QUERIES, 3).rows)
    assert len(opened) == 10


def test_row_index_whose_rows_do_not_fit_is_refused(tmp_path: Path):
    row_index(np.arange(10, dtype=np.int32)).save(tmp_path)
    np.save(tmp_path / "rows.npy", ROWS[:9])
    with pytest.raises(ArtifactError, match="expected 10 rows, got 9"):
        RowIndex.open(tmp_path)
    (tmp_path / "rows.npy").unlink()
    with pytest.raises(ArtifactError, match=r"rows\.npy"):
        RowIndex.open(tmp_path)


@pytest.mark.parametrize("k", [1, 7, 80])
def test_cut_space_answers_as_the_whole_one(k: int):
    whole, cut = space("*"), space("Bakery", "Dairy", "Produce")
    expected, answer = whole.search(QUERIES, k), cut.search(QUERIES, k)
    np.testing.assert_array_equal(answer.rows, expected.rows)
    np.testing.assert_array_equal(answer.scores, expected.scores)


def test_search_is_narrowed_to_categories_each_counted_once():
    cut = space("Bakery", "Dairy", "Produce")
    answer = cut.search(QUERIES, 60, categories=["Produce", "Bakery", "Produce"])
    assert answer.rows.shape == (5, 60)
    assert np.all((answer.rows >= 0).sum(axis=1) == 40)
    assert not np.isin(answer.rows, cut.parts["Dairy"].rows).any()
    alone = cut.search(QUERIES, 3, categories=["Dairy"])
    np.testing.assert_array_equal(alone.rows, cut.parts["Dairy"].search(QUERIES, 3).rows)


def test_no_category_at_all_has_no_answer():
    answer = space("Bakery", "Dairy").search(QUERIES, 4, categories=[])
    np.testing.assert_array_equal(answer.rows, Neighbors.empty(5, 4).rows)


def test_category_without_an_index_is_named():
    with pytest.raises(UnsupportedError, match="'Toys'"):
        space("Bakery", "Dairy").search(QUERIES, 4, categories=["Dairy", "Toys"])


def test_whole_space_is_not_narrowed():
    whole = space("*")
    assert (whole.is_whole, whole.categories) == (True, ())
    narrowed = whole.search(QUERIES, 4, categories=["Toys"])
    np.testing.assert_array_equal(narrowed.rows, whole.search(QUERIES, 4).rows)


def test_space_knows_its_size():
    cut = space("Bakery", "Dairy")
    assert (len(cut), cut.dim, cut.categories) == (60, 24, ("Bakery", "Dairy"))
    assert not cut.is_whole


def test_merging_breaks_ties_by_row_and_pads():
    left = Neighbors(np.array([[9, 2, -1]], np.int32), np.array([[3, 1, -np.inf]], np.float32))
    right = Neighbors(np.array([[4, 1, 7]], np.int32), np.array([[3, 1, 0]], np.float32))
    merged = merge_best([left, right], 1, 6)
    assert merged.rows.tolist() == [[4, 9, 1, 2, 7, -1]]
    assert merged.scores.tolist() == [[3, 3, 1, 1, 0, -np.inf]]
    assert merged.rows.dtype == np.int32
    assert merged.scores.dtype == np.float32


def test_search_settings_reach_the_index(tmp_path: Path):
    row_index(np.arange(10, dtype=np.int32)).save(tmp_path)
    with pytest.raises(Exception, match="exact"):
        RowIndex.open(tmp_path, FaissSearch())


def test_accuracy_chooses_among_the_levels_of_each_part():
    usual, other = (
        row_index(np.arange(60, dtype=np.int32)),
        row_index(np.arange(30, dtype=np.int32)),
    )
    fast = RowIndex(usual.index, usual.rows, {Accuracy.FAST: other.index})
    both = SpaceIndex("cf", Relation.ALTERNATIVES, {"Bakery": fast})
    for accuracy, index in zip(Accuracy, (other, usual, usual), strict=True):
        found = both.search(QUERIES, 5, accuracy=accuracy).rows
        np.testing.assert_array_equal(found, index.search(QUERIES, 5).rows)


def test_levels_are_opened_as_a_snapshot_stores_them(tmp_path: Path):
    rows = np.arange(600, dtype=np.int32)
    config = FaissConfig(search=FaissSearch(nprobe=100))
    vectors = clustered(600, clusters=600)
    RowIndex(build_index(vectors, Metric.COSINE, config, seed=1, threads=1), rows).save(tmp_path)
    opened = RowIndex.open(tmp_path, levels={Accuracy.FAST: {"nprobe": 1}})
    queries = clustered(40, clusters=600, seed=5)
    weak = RowIndex.open(tmp_path, FaissSearch(nprobe=1)).search(queries, 5).rows
    strong = opened.search(queries, 5).rows
    assert (weak != strong).any()
    np.testing.assert_array_equal(opened.search(queries, 5, Accuracy.FAST).rows, weak)
    np.testing.assert_array_equal(opened.search(queries, 5, Accuracy.ACCURATE).rows, strong)


@pytest.mark.parametrize("settings", [{"nprobe": 0}, {"search_k": 5}])
def test_levels_that_the_backend_does_not_know_are_refused(tmp_path: Path, settings: Json):
    rows = np.arange(60, dtype=np.int32)
    RowIndex(build_index(VECTORS, Metric.COSINE, FaissConfig(), seed=1, threads=1), rows).save(
        tmp_path
    )
    with pytest.raises(ArtifactError, match="'faiss'"):
        RowIndex.open(tmp_path, levels={Accuracy.FAST: settings})


def test_exact_index_has_no_levels(tmp_path: Path):
    row_index(np.arange(10, dtype=np.int32)).save(tmp_path)
    with pytest.raises(ArtifactError, match="exact"):
        RowIndex.open(tmp_path, levels={Accuracy.FAST: {}})
