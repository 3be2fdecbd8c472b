from pathlib import Path

import numpy as np
import pytest

from artifacts.embeddings import EmbeddingTable
from artifacts.neighbors import Neighbors, NeighborTable
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from indexer.bands import Limits
from indexer.bands_config import Band, BandsConfig
from indexer.precompute import (
    BlockStores,
    ListsMeans,
    ListsRequest,
    OnThreads,
    PrecomputedLists,
    part_work,
    precompute_neighbors,
)
from indexer.self_removal import without_self
from indexer.space_index import SpaceIndex
from tests.clusters import clustered
from tests.made_artifacts import embedding_table, write_prepared
from tests.made_indices import made_space_index
from tests.unit.indexer.test_bands import cosine, kept_twin

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


def computed(
    folder: Path,
    table: EmbeddingTable,
    index: SpaceIndex,
    k: int,
    *,
    threads: int = 1,
    limits: Limits | None = None,
    progress: SilentProgress | None = None,
) -> PrecomputedLists:
    request = ListsRequest(table, index, k, ITEMS, limits)
    with BlockStores(folder / "stores") as stores:
        means = ListsMeans(OnThreads(threads), stores)
        written = folder / "lists"
        return precompute_neighbors(request, means, written, progress=progress or SilentProgress())


def catalog_of(folder: Path):
    return write_prepared(folder / "prepared", ITEMS).catalog


def ranked(table: EmbeddingTable, relation: Relation, row: int) -> list[int]:
    """Score one item against all in float64 and sort."""
    position = int(table.positions(np.array([row], dtype=np.int32))[0])
    asked = table.vectors[position].astype(np.float64)
    targets = table.targets(relation).astype(np.float64)
    if relation is Relation.ALTERNATIVES:
        targets = targets / np.linalg.norm(targets, axis=1, keepdims=True)
    order = sorted(zip((-(targets @ asked)).tolist(), table.rows.tolist(), strict=True))
    return [other for _, other in order]


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
    monkeypatch.setattr(part_work, "BLOCK", 7)
    index = made_space_index(table, relation, catalog_of(tmp_path), per_category=per_category)
    progress = Counted()
    lists = computed(tmp_path, table, index, 5, threads=threads, progress=progress).table
    assert progress.steps == len(ROWS)
    for row in range(ITEMS):
        found = lists.lookup(row)
        if row % 4 == 0:
            assert found is None
            continue
        assert found is not None
        others = [other for other in ranked(table, relation, row) if other != row]
        if per_category:
            others = [other for other in others if other % 3 == row % 3]
        assert found[0].tolist() == others[:5]


@pytest.mark.parametrize("relation", Relation)
def test_lists_are_widened_until_nothing_in_them_is_too_close_or_too_far(
    table: EmbeddingTable, relation: Relation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(part_work, "BLOCK", 16)
    catalog = catalog_of(tmp_path)
    band = Band(max_to_source=0.45, max_between=0.35, min_similarity=-0.2)
    config = BandsConfig(**band.model_dump(), categories={"Dairy": Band(max_between=0.1)})
    index = made_space_index(table, relation, catalog, per_category=False)
    lists = computed(tmp_path, table, index, 8, limits=Limits.of(config, catalog))
    removed = np.zeros(3, dtype=np.int64)
    vectors = np.zeros((ITEMS, table.dim), dtype=np.float32)
    vectors[ROWS] = table.vectors
    for row in ROWS.tolist():
        of_row = config.of(catalog.category(row))
        expected, gone = kept_twin(vectors, row, ranked(table, relation, row), of_row, 8)
        found = lists.table.lookup(row)
        assert found is not None
        assert found[0].tolist() == expected + [-1] * (8 - len(expected))
        removed += gone
    (part,) = lists.parts.values()
    told = [part.too_close_to_source, part.too_close_to_better, part.too_far]
    if relation is Relation.CONTINUATIONS:
        assert told == removed.tolist()
    assert part.short == int((lists.table.rows[:, -1] < 0).sum())
    assert told[0] > 0 < told[1]


def test_copies_by_the_hundred_leave_one_of_each(tmp_path: Path):
    different = clustered(9, seed=4)
    table = embedding_table(range(90), np.repeat(different, 10, axis=0))
    catalog = catalog_of(tmp_path)
    index = made_space_index(table, Relation.ALTERNATIVES, catalog, per_category=False)
    limits = Limits.of(BandsConfig(max_to_source=0.999, max_between=0.999), catalog)
    lists = computed(tmp_path, table, index, 20, limits=limits)
    for row in range(90):
        found = lists.table.lookup(row)
        assert found is not None
        kept = found[0][found[0] >= 0]
        assert sorted((kept // 10).tolist()) == [group for group in range(9) if group != row // 10]
    assert lists.parts["*"].short == 90


@pytest.mark.parametrize(("most", "found"), [(15, 0), (40, 5)])
def test_no_more_than_so_many_hits_are_looked_at(tmp_path: Path, most: int, found: int):
    vectors = np.repeat(clustered(10, seed=4), 10, axis=0)
    vectors[:20] = vectors[0]  # twenty copies stand before whatever is not too close
    table, catalog = embedding_table(range(ITEMS), vectors), catalog_of(tmp_path)
    index = made_space_index(table, Relation.ALTERNATIVES, catalog, per_category=False)
    limits = Limits.of(BandsConfig(max_to_source=0.999, most_hits=most), catalog)
    lists = computed(tmp_path, table, index, 5, limits=limits)
    of_copy, of_other = lists.table.lookup(0), lists.table.lookup(50)
    assert of_copy is not None
    assert of_other is not None
    assert ((of_copy[0] >= 0).sum(), (of_other[0] >= 0).sum()) == (found, 5)


def test_zero_vectors_are_like_nothing(tmp_path: Path):
    vectors = clustered(ITEMS, seed=1)
    vectors[:7] = 0
    table = embedding_table(range(ITEMS), vectors)
    catalog = catalog_of(tmp_path)
    index = made_space_index(table, Relation.ALTERNATIVES, catalog, per_category=False)
    limits = Limits.of(BandsConfig(max_between=0.9, min_similarity=0.05), catalog)
    lists = computed(tmp_path, table, index, 10, limits=limits).table
    assert np.all(lists.rows[lists.positions[:7]] == -1)
    assert cosine(vectors[0], vectors[1]) == 0


def test_lists_longer_than_the_space_are_padded(table: EmbeddingTable, tmp_path: Path):
    index = made_space_index(table, Relation.ALTERNATIVES, catalog_of(tmp_path), per_category=True)
    lists = computed(tmp_path, table, index, 200, threads=2)
    assert lists.table.k == 200
    for category, part in index.parts.items():
        found = lists.table.lookup(int(part.rows[0]))
        assert found is not None
        assert (found[0] >= 0).sum() == len(part) - 1, category
        assert np.all(found[1][len(part) - 1 :] == -np.inf)
        assert lists.parts[category].short == 0


@pytest.mark.parametrize("banded", [False, True], ids=["open", "banded"])
def test_one_item_has_an_empty_list(tmp_path: Path, banded: bool):
    table, catalog = embedding_table([3], clustered(1)), catalog_of(tmp_path)
    index = made_space_index(table, Relation.ALTERNATIVES, catalog, per_category=False)
    limits = Limits.of(BandsConfig(max_between=0.9), catalog) if banded else None
    found = computed(tmp_path, table, index, 4, limits=limits).table.lookup(3)
    assert found is not None
    assert found[0].tolist() == [-1] * 4


def test_table_opens_as_it_was_written(table: EmbeddingTable, tmp_path: Path):
    index = made_space_index(table, Relation.ALTERNATIVES, catalog_of(tmp_path), per_category=False)
    lists = computed(tmp_path, table, index, 5)
    again = NeighborTable.open(tmp_path / "lists")
    np.testing.assert_array_equal(again.rows, lists.table.rows)
    assert again.rows.dtype == np.int32
    assert again.scores.dtype == np.float32
    assert lists.bytes_per_item == (4 * ITEMS + 2 * 4 * 5 * len(ROWS)) / len(ROWS)


def test_nothing_is_left_beside_a_table_that_is_whole(table: EmbeddingTable, tmp_path: Path):
    index = made_space_index(table, Relation.ALTERNATIVES, catalog_of(tmp_path), per_category=False)
    computed(tmp_path, table, index, 5)
    assert not (tmp_path / "stores").exists()


def test_self_is_removed_wherever_it_stands_and_else_the_last_goes():
    rows = np.array([[5, 1, 2], [1, 6, 2], [1, 2, 7], [1, 2, 3], [8, -1, -1]], dtype=np.int32)
    scores = np.tile(np.array([3, 2, 1], dtype=np.float32), (5, 1))
    own = np.array([5, 6, 7, 9, 8], dtype=np.int32)
    kept = without_self(Neighbors(rows, scores), own, 2)
    assert kept.rows.tolist() == [[1, 2], [1, 2], [1, 2], [1, 2], [-1, -1]]
    assert kept.scores.tolist() == [[2, 1], [3, 1], [3, 2], [3, 2], [2, 1]]
