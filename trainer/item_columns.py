"""Columns of the catalogue, and of the item files that it was made from, as text by row."""

import re
from collections.abc import Sequence
from pathlib import Path

import ibis
import pyarrow as pa

from artifacts.catalog import PATH_SEPARATOR, Catalog
from artifacts.errors import ConfigError, DataError
from artifacts.prepared import Prepared
from trainer.config import PrepareConfig
from trainer.engine_choice import open_engine
from trainer.events import pick
from trainer.price_bands import price_bands
from trainer.sources import Source

CATEGORY = re.compile(r"category(?::([1-9]\d*))?")
BRAND, PRICE_BAND = "brand", "price_band"


def item_column(name: str, prepared: Prepared, scratch: Path, *, bands: int) -> list[str | None]:
    """Return what a column says of every item of the vocabulary, None where it says nothing.

    Args:
        name: `category`, `category:<levels>`, `brand`, `price_band`, or a column of the item files.
        prepared: the data set.
        scratch: an existing folder, for what reading the item files writes for the while.
        bands: of `price_band`.

    Raises:
        ConfigError: there is no such column.
        DataError: the item files are not those that the data set was made from.

    Cost: one pass over the catalogue; a column of the item files costs reading these twice.
    """
    catalog = prepared.catalog
    if match := CATEGORY.fullmatch(name):
        return category_levels(catalog.category_paths, int(match[1]) if match[1] else None)
    if name == BRAND:
        return list(catalog.brands)
    if name == PRICE_BAND:
        return price_bands(catalog.prices, catalog.category_codes, catalog.categories, bands)
    return _from_files(name, prepared, scratch)


def category_levels(paths: Sequence[str | None], levels: int | None) -> list[str | None]:
    """Cut category paths to their first levels; None, and paths with fewer, say nothing."""
    if levels is None:
        return list(paths)
    parted = (path.split(PATH_SEPARATOR) if path else [] for path in paths)
    return [PATH_SEPARATOR.join(path[:levels]) if len(path) >= levels else None for path in parted]


def _from_files(name: str, prepared: Prepared, scratch: Path) -> list[str | None]:
    config = PrepareConfig.model_validate(prepared.manifest.config)
    if config.items is None:
        raise _unknown(name, prepared.catalog, "the prepared data has no item files")
    source = Source.of("items", config.items)
    _check_unchanged(source, prepared)
    # Embedded, whatever prepared the data: one column of the catalogue needs no cluster.
    with open_engine(config.model_copy(update={"engine": "duckdb"}), scratch) as engine:
        rows = engine.number("numbered_items", engine.read(source).rows)
        if name not in rows.columns:
            raise _unknown(name, prepared.catalog, f"the item files have: {_names(rows.columns)}")
        wanted = {"item_id": config.items.columns.item_id, "value": name, "line": "line"}
        named = pick(rows, wanted, "items")
        text = named.value.cast("string").strip().nullif("")
        read = engine.fetch(
            named.select("line", id=named.item_id, value=text)
            .filter(ibis._.id.notnull())
            .order_by("line")
        )
    return _by_row(read, prepared)


def _by_row(read: pa.Table, prepared: Prepared) -> list[str | None]:
    """Spread values over the vocabulary; of two rows with one id the first stays, as in prepare."""
    values: list[str | None] = [None] * len(prepared.items)
    rows = prepared.items.rows(read.column("id").to_pylist()).tolist()
    said = read.column("value").to_pylist()
    for row, value in zip(reversed(rows), reversed(said), strict=True):
        if row >= 0:
            values[row] = value
    return values


def _check_unchanged(source: Source, prepared: Prepared) -> None:
    for key, found in source.fingerprints().items():
        if prepared.manifest.inputs.get(key) != found:
            raise DataError(
                f"train.meta.columns: expected the item files that {prepared.manifest.id} was "
                f"prepared from, but {key} has changed since; run `shelfmate prepare` again"
            )


def _unknown(name: str, catalog: Catalog, rest: str) -> ConfigError:
    deepest = max(
        (path.count(PATH_SEPARATOR) + 1 for path in catalog.category_paths if path), default=0
    )
    levels = [f"category:{level}" for level in range(1, deepest + 1)]
    known = _names(["category", *levels, BRAND, PRICE_BAND])
    return ConfigError(f"train.meta.columns: no column {name!r}; there are: {known}; {rest}")


def _names(names: Sequence[str]) -> str:
    return ", ".join(names)
