import pyarrow.parquet as pq
import pytest

from artifacts.errors import ConfigError, DataError
from tests.made_metadata import prepare_metadata_shop
from tests.made_sessions import prepare_sessions, themed_sessions
from trainer.item_columns import category_levels, item_column


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def prepared(folder):
    return prepare_metadata_shop(folder, sessions=40)


def column(prepared, name: str, tmp_path) -> list[str | None]:
    return item_column(name, prepared, tmp_path, bands=2)


def test_columns_of_the_catalogue_are_by_row(prepared, tmp_path):
    ids = prepared.items.ids(range(len(prepared.items)))
    themes = [id.split("-")[0] for id in ids]
    assert column(prepared, "category", tmp_path) == [f"Shop > {theme}" for theme in themes]
    assert column(prepared, "category:1", tmp_path) == ["Shop"] * len(ids)
    assert column(prepared, "category:3", tmp_path) == [None] * len(ids)
    assert column(prepared, "brand", tmp_path) == list(prepared.catalog.brands)
    bands = column(prepared, "price_band", tmp_path)
    assert set(bands) == {"Shop / 1", "Shop / 2"}


def test_any_column_of_the_item_files_is_by_row(prepared, folder, tmp_path):
    table = pq.read_table(folder / "items.parquet").to_pydict()
    expected = dict(zip(table["id"], table["seller"], strict=True))
    found = column(prepared, "seller", tmp_path)
    ids = prepared.items.ids(range(len(found)))
    assert found == [expected[id] and expected[id].strip() for id in ids]
    assert None in found
    assert list(tmp_path.iterdir()) == []


def test_levels_are_those_from_the_widest():
    paths = ["A > B > C", "A", None]
    assert category_levels(paths, 2) == ["A > B", None, None]
    assert category_levels(paths, 1) == ["A", "A", None]
    assert category_levels(paths, None) == paths


@pytest.mark.parametrize("name", ["sellers", "category:0", "categories"])
def test_unknown_columns_are_named_beside_those_there_are(prepared, tmp_path, name):
    expected = (
        f"no column '{name}'; there are: category, category:1, category:2, brand, price_band; the "
        "item files have: id, path, maker, price, seller, nothing"
    )
    with pytest.raises(ConfigError, match=expected):
        column(prepared, name, tmp_path)


def test_without_item_files_there_is_only_the_catalogue(tmp_path):
    prepared = prepare_sessions(tmp_path / "shop", themed_sessions(20))
    assert set(column(prepared, "brand", tmp_path)) == {None}
    with pytest.raises(
        ConfigError, match=r"no column 'seller'.*the prepared data has no item files"
    ):
        column(prepared, "seller", tmp_path)


def test_item_files_that_have_changed_are_refused(tmp_path):
    prepared = prepare_metadata_shop(tmp_path, sessions=20)
    table = pq.read_table(tmp_path / "items.parquet")
    pq.write_table(table.slice(1), tmp_path / "items.parquet")
    with pytest.raises(DataError, match=r"items/0/items.parquet has changed since"):
        column(prepared, "seller", tmp_path)
