from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artifacts.catalog import UNCATEGORISED, Catalog, ItemAttributes, write_catalog
from artifacts.errors import ArtifactError, DataError


def columns() -> dict[str, Any]:
    return {
        "titles": ["Milk", None, "Crème"],
        "category_paths": ["Dairy > Milk", None, "Dairy > Cream"],
        "top_categories": ["Dairy", None, "Dairy"],
        "brands": [None, "Acme", "Größe"],
        "prices": np.array([1.5, np.nan, 0.0], dtype=np.float32),
        "popularity": np.array([7, 0, 3], dtype=np.int32),
    }


def test_attributes_come_back_with_none_where_nothing_is_known(tmp_path: Path):
    write_catalog(tmp_path, **columns())
    catalog = Catalog.open(tmp_path)
    assert len(catalog) == 3
    assert catalog.attributes(0) == ItemAttributes("Milk", "Dairy > Milk", "Dairy", None, 1.5, 7)
    assert catalog.attributes(1) == ItemAttributes(None, None, UNCATEGORISED, "Acme", None, 0)
    assert catalog.attributes(2).price == 0.0


@pytest.mark.parametrize("nothing", [None, ""])
def test_items_without_a_category_go_to_the_catch_all(tmp_path: Path, nothing: str | None):
    catalog = write_catalog(tmp_path, **columns() | {"top_categories": ["Dairy", nothing, "Tea"]})
    assert catalog.categories == (UNCATEGORISED, "Dairy", "Tea")
    assert catalog.category(1) == UNCATEGORISED


def test_rows_in_a_category_ascend_and_unknown_categories_have_none(tmp_path: Path):
    catalog = write_catalog(tmp_path, **columns())
    assert catalog.rows_in("Dairy").tolist() == [0, 2]
    assert catalog.rows_in("Toys").tolist() == []
    assert catalog.rows_in("Toys").dtype == np.int32


def test_columns_of_different_length_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"\[2, 3\]"):
        write_catalog(tmp_path, **columns() | {"brands": ["a", "b"]})


@pytest.mark.parametrize(
    "name",
    ["strings.arrow", "categories.json", "category_codes.npy", "prices.npy", "popularity.npy"],
)
@pytest.mark.parametrize("damage", [None, b"", b"garbage, no array"])
def test_damaged_catalogue_is_an_artifact_error(tmp_path: Path, name: str, damage: bytes | None):
    write_catalog(tmp_path, **columns())
    (tmp_path / name).unlink()
    if damage is not None:
        (tmp_path / name).write_bytes(damage)
    with pytest.raises(ArtifactError):
        Catalog.open(tmp_path)


def test_column_of_another_catalogue_is_refused(tmp_path: Path):
    write_catalog(tmp_path, **columns())
    np.save(tmp_path / "prices.npy", np.zeros(2, dtype=np.float32))
    with pytest.raises(ArtifactError, match="differ in length"):
        Catalog.open(tmp_path)


def test_descriptions_come_back_and_are_unknown_where_nobody_gave_them(tmp_path: Path):
    told = ["Full fat.", None, "Zum Schlagen"]
    with_descriptions = write_catalog(tmp_path / "told", **columns(), descriptions=told)
    assert list(with_descriptions.descriptions) == told
    assert list(write_catalog(tmp_path / "untold", **columns()).descriptions) == [None] * 3
