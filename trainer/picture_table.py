"""Read the table that names the pictures of every item."""

import glob
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from artifacts.errors import ConfigError, DataError
from artifacts.manifest import Json
from trainer.images_config import ImagesConfig, PictureColumns

PictureRow: TypeAlias = tuple[str | None, str | None]
"""Item id and path of one row of the table; None where there is nothing but blanks."""


def read_picture_table(config: ImagesConfig, prepare_config: Json) -> list[PictureRow]:
    """Return every row of the table, files in the order of the settings, each glob sorted.

    Args:
        config: names the table, or leaves it to the item files.
        prepare_config: effective settings of the prepared data, which name the item files.

    Raises:
        ConfigError: no table is named, no file matches, a suffix is unknown or a column is not
            there.
        DataError: a file cannot be read as what its suffix says.
    """
    files = [file for pattern in _patterns(config, prepare_config) for file in _matches(pattern)]
    return [row for file in files for row in _rows(file, config.columns)]


def _patterns(config: ImagesConfig, prepare_config: Json) -> tuple[str, ...]:
    if config.table is not None:
        return config.table
    items = prepare_config.get("items")
    if not items:
        raise ConfigError(
            "train.image.table: name a table of pictures; the prepared data has no item files to "
            "take them from"
        )
    return tuple(items["path"])


def _matches(pattern: str) -> list[Path]:
    if Path(pattern).is_file():
        return [Path(pattern)]
    files = sorted(path for path in map(Path, glob.glob(pattern)) if path.is_file())  # noqa: PTH207 - patterns may be absolute
    if not files:
        raise ConfigError(f"train.image.table: no file matches {pattern!r}")
    return files


def _rows(file: Path, columns: PictureColumns) -> Iterator[PictureRow]:
    try:
        table = _read(file)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{file}: cannot be read as its suffix says: {error}") from error
    ids, paths = (_text(table, name, file) for name in (columns.item_id, columns.path))
    return zip(ids, paths, strict=True)


def _read(file: Path) -> pa.Table:
    """Read every column as text where the format knows no types, so that no id loses a digit."""
    match file.with_suffix("").suffix if file.suffix == ".gz" else file.suffix:
        case ".parquet":
            return pq.read_table(file)
        case ".csv":
            return _read_csv(file)
        case ".jsonl" | ".ndjson":
            with file.open(encoding="utf-8") as lines:
                rows = [json.loads(line, parse_int=str, parse_float=str) for line in lines]
            return pa.table({name: _json_column(rows, name) for name in _keys(rows)})
        case other:
            raise ConfigError(
                f"train.image.table: {file.name!r} ends in {other!r}, expected .parquet, .csv, "
                ".csv.gz, .jsonl or .ndjson"
            )


def _read_csv(file: Path) -> pa.Table:
    with pyarrow.csv.open_csv(file) as reader:
        names = reader.schema.names
    types = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    return pyarrow.csv.read_csv(file, convert_options=types)


def _keys(rows: list[Json]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _json_column(rows: list[Json], name: str) -> pa.Array:
    values = (row.get(name) for row in rows)
    return pa.array([None if value is None else str(value) for value in values], type=pa.string())


def _text(table: pa.Table, name: str, file: Path) -> list[str | None]:
    if name not in table.column_names:
        raise ConfigError(
            f"train.image.columns: no column {name!r} in {file}; there are: "
            f"{', '.join(table.column_names)}"
        )
    column = table.column(name)
    if pa.types.is_floating(column.type):
        raise DataError(f"{file}, column {name!r}: expected text or integers, got {column.type}")
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return [value or None for value in text.to_pylist()]
