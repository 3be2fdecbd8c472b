"""DuckDB as the engine of preparation."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
from ibis.expr.types import Table

from artifacts.errors import DataError
from trainer.config import PrepareConfig
from trainer.engine import Reading
from trainer.sources import Source


class DuckdbEngine:
    """DuckDB inside this process; see `Engine` for what its methods do."""

    packages = ("duckdb", "ibis-framework")

    def __init__(self, config: PrepareConfig, scratch: Path) -> None:
        options: dict[str, Any] = {
            "memory_limit": config.memory_limit,
            "temp_directory": str(scratch / "spill"),
            "autoinstall_known_extensions": False,
        }
        if config.threads is not None:
            options["threads"] = config.threads
        self._connection = ibis.duckdb.connect(str(scratch / "tables.duckdb"), **options)
        self._connection.raw_sql("SET enable_progress_bar = false")
        # Times with an offset are turned into UTC, wherever this runs.
        self._connection.raw_sql("SET TimeZone = 'UTC'")

    def read(self, source: Source) -> Reading:
        """Open the files of `source`; see `Engine`."""
        files = [str(file) for file in source.files]
        try:
            with _quiet():
                match source.format:
                    case "parquet":
                        rows = self._connection.read_parquet(files, binary_as_string=True)
                        return Reading(source.name, rows, None)
                    case "csv":
                        return self._read_csv(source.name, files)
                    case "jsonl":
                        return self._read_json(source.name, files)
        except duckdb.Error as error:
            raise DataError(
                f"{', '.join(files)}: cannot be read as {source.format}: {error}"
            ) from error

    def _read_csv(self, name: str, files: list[str]) -> Reading:
        rejects, scans = f"{name}_rejects", f"{name}_scans"
        view = self._connection.read_csv(
            files,
            header=True,
            all_varchar=True,
            store_rejects=True,
            rejects_table=rejects,
            rejects_scan=scans,
        )
        # The table of rejects fills as the file is read, so it is read once, here.
        rows = self._connection.create_table(f"{name}_text", view)
        malformed = f"{name}_malformed"
        self._connection.raw_sql(
            f"CREATE TABLE {malformed} AS "
            # Where lines end with two characters, one of them sticks to the line after.
            f"SELECT trim(any_value(csv_line), chr(13) || chr(10)) AS source_line "
            f"FROM {rejects} GROUP BY file_id, line"
        )
        return Reading(name, rows, self._connection.table(malformed))

    def _read_json(self, name: str, files: list[str]) -> Reading:
        options = "format = 'newline_delimited', ignore_errors = true, sample_size = -1"
        described = self._connection.con.execute(
            f"DESCRIBE SELECT * FROM read_json_auto(?, {options})", [files]
        )
        columns = {row[0]: "VARCHAR" for row in described.fetchall()}
        view = self._connection.read_json(
            files, columns=columns, format="newline_delimited", ignore_errors=True
        )
        return Reading(name, self._connection.create_table(f"{name}_text", view), None)

    def number(self, name: str, table: Table) -> Table:
        """Store `table` with its line numbers; DuckDB keeps the order of insertion."""
        return self.store(name, table.mutate(line=ibis.row_number()))

    def store(self, name: str, expression: Table) -> Table:
        """Evaluate into a table of the scratch database."""
        with _quiet():
            return self._connection.create_table(name, expression)

    def fetch(self, expression: Table) -> pa.Table:
        """Evaluate into memory."""
        # By way of Ibis the answer would pass through pandas, whose import outlasts many a query.
        return self._connection.con.sql(self._connection.compile(expression)).to_arrow_table()

    def write(self, expression: Table, path: Path) -> None:
        """Evaluate into one Parquet file."""
        with _quiet():
            self._connection.to_parquet(expression, path, compression="zstd")

    def close(self) -> None:
        """Release the scratch database."""
        self._connection.disconnect()


@contextmanager
def _quiet() -> Iterator[None]:
    # Ibis still calls this method of DuckDB by its old name.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="fetch_arrow_table", category=DeprecationWarning)
        yield
