from pathlib import Path

import numpy as np
import pytest

from artifacts.catalog import UNCATEGORISED
from artifacts.errors import DataError
from indexer.categories import Part, backend_of, partition
from indexer.config import ExactConfig, FaissConfig, SpaceIndexConfig
from tests.clusters import clustered
from tests.made_artifacts import embedding_table, write_prepared


def test_whole_space_is_one_part(tmp_path: Path):
    catalog = write_prepared(tmp_path / "prepared", 9).catalog
    cut = partition(embedding_table([1, 4, 8], clustered(3)), catalog, per_category=False)
    assert [part.category for part in cut.parts] == ["*"]
    np.testing.assert_array_equal(cut.parts[0].positions, [0, 1, 2])


def test_parts_are_positions_by_top_category(tmp_path: Path):
    # Rows take Bakery, Dairy and Produce in turn.
    catalog = write_prepared(tmp_path / "prepared", 12).catalog
    table = embedding_table([0, 1, 3, 4, 6, 9], clustered(6))
    cut = partition(table, catalog, per_category=True)
    found = {part.category: part.positions.tolist() for part in cut.parts}
    assert found == {"Bakery": [0, 2, 4, 5], "Dairy": [1, 3]}


@pytest.mark.parametrize("per_category", [True, False])
def test_categories_without_a_vector_are_reported(tmp_path: Path, per_category: bool):
    catalog = write_prepared(tmp_path / "prepared", 12).catalog
    cut = partition(embedding_table([0, 1], clustered(2)), catalog, per_category=per_category)
    assert cut.without_vectors == ("Produce",)


def test_items_without_a_category_share_the_catch_all(tmp_path: Path):
    prepared = write_prepared(tmp_path / "prepared", 8, categories=("Tea", None, ""))
    cut = partition(embedding_table(range(8), clustered(8)), prepared.catalog, per_category=True)
    found = {part.category: part.positions.tolist() for part in cut.parts}
    assert found == {UNCATEGORISED: [1, 2, 4, 5, 7], "Tea": [0, 3, 6]}


def test_category_named_like_the_whole_space_is_refused(tmp_path: Path):
    catalog = write_prepared(tmp_path / "prepared", 2, categories=("*", "Tea")).catalog
    with pytest.raises(DataError, match="'\\*'"):
        partition(embedding_table([0], clustered(1)), catalog, per_category=True)


@pytest.mark.parametrize(
    ("size", "backend"), [(99, ExactConfig()), (100, FaissConfig()), (101, FaissConfig())]
)
def test_small_parts_are_searched_exactly(size: int, backend: object):
    config = SpaceIndexConfig(space="cf", exact_below=100)
    assert backend_of(Part("Tea", np.arange(size, dtype=np.int32)), config) == backend
