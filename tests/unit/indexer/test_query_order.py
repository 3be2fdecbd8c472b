import numpy as np
import pytest

from artifacts.arrays import unit_rows
from artifacts.relation import Relation
from indexer.precompute import query_order
from indexer.precompute.query_order import near_together
from tests.clusters import clustered
from tests.made_artifacts import embedding_table
from tests.made_indices import made_space_index
from tests.unit.indexer.test_precompute import ITEMS, catalog_of, computed


def likeness_of_successors(vectors: np.ndarray, order: np.ndarray) -> float:
    unit = unit_rows(vectors[order])
    return float(np.einsum("nd,nd->n", unit[:-1], unit[1:]).mean())


def test_order_is_a_permutation_in_which_successors_are_alike(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(query_order, "FEWEST", 10)
    monkeypatch.setattr(query_order, "AT_ONCE", 100)
    vectors = clustered(3000, clusters=20)
    positions = np.arange(1, 3000, 2, dtype=np.int32)
    order = near_together(vectors, positions, seed=3)
    assert order.dtype == np.int32
    np.testing.assert_array_equal(np.sort(order), np.arange(1500))
    asked = vectors[positions]
    before = likeness_of_successors(asked, np.arange(1500))
    assert likeness_of_successors(asked, order) > before + 0.2
    np.testing.assert_array_equal(near_together(vectors, positions, seed=3), order)


def test_small_parts_keep_their_order():
    order = near_together(clustered(50), np.arange(50, dtype=np.int32), seed=1)
    np.testing.assert_array_equal(order, np.arange(50))


def test_lists_do_not_depend_on_the_order(tmp_path, monkeypatch: pytest.MonkeyPatch):
    table = embedding_table(range(ITEMS), clustered(ITEMS, seed=1))
    index = made_space_index(table, Relation.ALTERNATIVES, catalog_of(tmp_path), per_category=False)
    plain = computed(tmp_path / "plain", table, index, 6).table
    monkeypatch.setattr(query_order, "FEWEST", 10)
    ordered = computed(tmp_path / "ordered", table, index, 6).table
    assert ordered.positions.tolist() != plain.positions.tolist()
    np.testing.assert_array_equal(ordered.rows[ordered.positions], plain.rows[plain.positions])
