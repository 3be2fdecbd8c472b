"""Lists of ids that a caller brings in a file."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from artifacts.errors import DataError


def read_ids(path: Path, column: str) -> list[str]:
    """Return the ids of a file, in order, repeats kept.

    Args:
        path: Parquet with a column of that name, or UTF-8 text with one id a line; blank lines
            count for nothing.
        column: name of the column.

    Raises:
        DataError: the file is missing or unreadable, lacks the column, holds ids that are neither
            text nor whole numbers, or holds none.
    """
    try:
        ids = _from_parquet(path, column) if path.suffix == ".parquet" else _from_text(path)
    except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: expected a list of {column}s, cannot be read: {error}") from error
    if not ids:
        raise DataError(f"{path}: expected at least one {column}, got none")
    return ids


def _from_parquet(path: Path, column: str) -> list[str]:
    names = pq.read_schema(path).names
    if column not in names:
        raise DataError(f"{path}: expected a column {column!r}, got {names}")
    values = pq.read_table(path, columns=[column]).column(column)
    if not (pa.types.is_integer(values.type) or _is_text(values.type)):
        raise DataError(f"{path}: expected {column} as text or whole numbers, got {values.type}")
    return [str(value) for value in values.drop_null().to_pylist()]


def _is_text(type: pa.DataType) -> bool:
    return bool(pa.types.is_string(type) or pa.types.is_large_string(type))


def _from_text(path: Path) -> list[str]:
    lines = path.read_text("utf-8-sig").split("\n")
    return [line.strip() for line in lines if line.strip()]
