from pathlib import Path

import numpy as np
import pytest

from artifacts.embeddings import EmbeddingTable
from artifacts.neighbors import Neighbors, NeighborTable
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from indexer import precompute
from indexer.backends import build_index
from indexer.categories import partition
from indexer.config import ExactConfig
from indexer.index import Metric
from indexer.precompute import NeighborsPlan, precompute_neighbors
from indexer.row_index import RowIndex
from indexer.self_removal import without_self
from indexer.space_index import SpaceIndex
from tests.clusters import clustered
from tests.made_artifacts import embedding_table, write_prepared

ITEMS = 100
ROWS = np.array([row for row in range(ITEMS) if row % 4], dtype=np.int32)


class Counted(SilentProgress):
    def __init__(self) -> None:
        self.steps = 0

    def advance(self, amount: int = 1) -> None:
        self.steps += amount


@pytest.fixture
def table() -> EmbeddingTable:
    return embedding_table(ROWS, clustered(len(ROWS), seed=1), clustered(len(ROWS), seed=2))


def space_index(
    table: EmbeddingTable, relation: Relation, folder: Path, *, per_category: bool
) -> SpaceIndex:
    catalog = write_prepared(folder / "prepared", ITEMS).catalog
    parts = {}
    for part in partition(table, catalog, per_category=per_category).parts:
        vectors = np.ascontiguousarray(table.targets(relation)[part.positions])
        index = build_index(vectors, Metric.of(relation), ExactConfig(), seed=0, threads=1)
        parts[part.category] = RowIndex(index, table.rows[part.positions])
    return SpaceIndex("cf", relation, parts)


def neighbours_twin(
    table: EmbeddingTable, relation: Relation, row: int, k: int, *, per_category: bool
) -> list[int]:
    """Score one item against all others in float64 and sort."""
    position = int(table.positions(np.array([row], dtype=np.int32))[0])
    asked = table.vectors[position].astype(np.float64)
    targets = table.targets(relation).astype(np.float64)
    if relation is Relation.ALTERNATIVES:
        targets = targets / np.linalg.norm(targets, axis=1, keepdims=True)
    scores = targets @ asked
    order = sorted(zip((-scores).tolist(), table.rows.tolist(), strict=True))
    others = [other for _, other in order if other != row]
    if per_category:
        others = [other for other in others if other % 3 == row % 3]
    return others[:k]


@pytest.mark.parametrize("per_category", [False, True], ids=["whole", "cut"])
@pytest.mark.parametrize("relation", Relation)
@pytest.mark.parametrize("threads", [1, 3])
def test_lists_equal_scoring_every_pair(
    table: EmbeddingTable,
    relation: Relation,
    per_category: bool,
    threads: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(precompute, "BLOCK", 7)
    index = space_index(table, relation, tmp_path, per_category=per_category)
    progress = Counted()
    plan = NeighborsPlan(k=5, items=ITEMS, threads=threads)
    lists = precompute_neighbors(table, index, tmp_path / "lists", plan, progress=progress)
    assert progress.steps == len(ROWS)
    for row in range(ITEMS):
        found = lists.lookup(row)
        if row % 4 == 0:
            assert found is None
            continue
        assert found is not None
        expected = neighbours_twin(table, relation, row, 5, per_category=per_category)
        assert found[0].tolist() == expected


def test_lists_longer_than_the_space_are_padded(table: EmbeddingTable, tmp_path: Path):
    index = space_index(table, Relation.ALTERNATIVES, tmp_path, per_category=True)
    plan = NeighborsPlan(k=200, items=ITEMS, threads=2)
    lists = precompute_neighbors(table, index, tmp_path / "l", plan, progress=SilentProgress())
    assert lists.k == 200
    for category, part in index.parts.items():
        found = lists.lookup(int(part.rows[0]))
        assert found is not None
        assert (found[0] >= 0).sum() == len(part) - 1, category
        assert np.all(found[1][len(part) - 1 :] == -np.inf)


def test_one_item_has_an_empty_list(tmp_path: Path):
    table = embedding_table([3], clustered(1))
    index = space_index(table, Relation.ALTERNATIVES, tmp_path, per_category=False)
    plan = NeighborsPlan(k=4, items=ITEMS, threads=1)
    lists = precompute_neighbors(table, index, tmp_path / "l", plan, progress=SilentProgress())
    found = lists.lookup(3)
    assert found is not None
    assert found[0].tolist() == [-1] * 4


def test_table_opens_as_it_was_written(table: EmbeddingTable, tmp_path: Path):
    index = space_index(table, Relation.ALTERNATIVES, tmp_path, per_category=False)
    plan = NeighborsPlan(k=5, items=ITEMS, threads=1)
    lists = precompute_neighbors(table, index, tmp_path / "l", plan, progress=SilentProgress())
    again = NeighborTable.open(tmp_path / "l")
    np.testing.assert_array_equal(again.rows, lists.rows)
    assert again.rows.dtype == np.int32
    assert again.scores.dtype == np.float32


def test_self_is_removed_wherever_it_stands_and_else_the_last_goes():
    rows = np.array([[5, 1, 2], [1, 6, 2], [1, 2, 7], [1, 2, 3], [8, -1, -1]], dtype=np.int32)
    scores = np.tile(np.array([3, 2, 1], dtype=np.float32), (5, 1))
    own = np.array([5, 6, 7, 9, 8], dtype=np.int32)
    kept = without_self(Neighbors(rows, scores), own, 2)
    assert kept.rows.tolist() == [[1, 2], [1, 2], [1, 2], [1, 2], [-1, -1]]
    assert kept.scores.tolist() == [[2, 1], [3, 1], [3, 2], [3, 2], [2, 1]]
