from pathlib import Path

import numpy as np
import pytest

from artifacts.catalog import Catalog, write_catalog
from artifacts.errors import ArtifactError
from artifacts.popularity import PopularityTable


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return write_catalog(
        tmp_path / "catalog",
        titles=[None] * 6,
        category_paths=[None] * 6,
        top_categories=["Tea", "Milk", "Tea", "Tea", "Milk", "Toys"],
        brands=[None] * 6,
        prices=np.ones(6, dtype=np.float32),
        popularity=np.array([3, 9, 5, 3, 0, 0], dtype=np.int32),
    )


def test_items_fall_by_popularity_ties_by_row_and_unseen_ones_are_left_out(catalog: Catalog):
    table = PopularityTable.of(catalog)
    assert table.overall().tolist() == [1, 2, 0, 3]
    segments = {name: table.in_category(i).tolist() for i, name in enumerate(catalog.categories)}
    assert segments == {"Milk": [1], "Tea": [2, 0, 3], "Toys": []}


def test_table_opens_as_it_was_saved(catalog: Catalog, tmp_path: Path):
    PopularityTable.of(catalog).save(tmp_path / "popularity")
    opened = PopularityTable.open(tmp_path / "popularity")
    assert opened.overall().tolist() == [1, 2, 0, 3]
    assert opened.in_category(1).tolist() == [2, 0, 3]


@pytest.mark.parametrize("name", ["offsets.npy", "rows.npy"])
def test_missing_array_is_an_artifact_error(catalog: Catalog, tmp_path: Path, name: str):
    PopularityTable.of(catalog).save(tmp_path / "popularity")
    (tmp_path / "popularity" / name).unlink()
    with pytest.raises(ArtifactError, match=name):
        PopularityTable.open(tmp_path / "popularity")
