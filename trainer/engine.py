"""Run Ibis expressions: the only place that knows which engine does."""

import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import ibis
import pyarrow as pa
from ibis.expr.types import Table

from artifacts.errors import DataError
from trainer.config import PrepareConfig
from trainer.scratch import scratch_folder
from trainer.sources import Source


@dataclass(frozen=True, slots=True)
class Reading:
    """A source as a table.

    Attributes:
        rows: every column of the files; text files give text, whatever it looks like.
        malformed: one column `source_line`, the lines of a CSV file that do not fit its header;
            None where the format has no such lines.
    """

    rows: Table
    malformed: Table | None


class Engine(Protocol):
    """What preparation asks of an engine; expressions do the rest."""

    def read(self, source: Source) -> Reading:
        """Open the files of `source`.

        Raises:
            DataError: a file cannot be read as its format.
        """
        ...

    def number(self, name: str, table: Table) -> Table:
        """Store `table` with a column `line`, 0 for the first row of the first file."""
        ...

    def store(self, name: str, expression: Table) -> Table:
        """Evaluate once and return a table to go on from."""
        ...

    def fetch(self, expression: Table) -> pa.Table:
        """Evaluate into memory."""
        ...

    def write(self, expression: Table, path: Path) -> None:
        """Evaluate into one Parquet file, in the order of the expression."""
        ...


@contextmanager
def open_engine(config: PrepareConfig, folder: Path) -> Iterator[Engine]:
    """Give an engine whose intermediate tables and spilled blocks lie in `folder` until it closes.

    Raises:
        DataError: the engine failed on the data; its own message is kept.
    """
    try:
        with (
            scratch_folder(folder) as scratch,
            closing(DuckdbEngine(config, scratch)) as engine,
        ):
            yield engine
    except duckdb.Error as error:
        raise DataError(f"prepare: the data cannot be processed: {error}") from error


class DuckdbEngine:
    """DuckDB inside this process."""

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
                        return Reading(rows, None)
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
            f"SELECT any_value(csv_line) AS source_line FROM {rejects} GROUP BY file_id, line"
        )
        return Reading(rows, self._connection.table(malformed))

    def _read_json(self, name: str, files: list[str]) -> Reading:
        options = "format = 'newline_delimited', ignore_errors = true, sample_size = -1"
        described = self._connection.con.execute(
            f"DESCRIBE SELECT * FROM read_json_auto(?, {options})", [files]
        )
        columns = {row[0]: "VARCHAR" for row in described.fetchall()}
        view = self._connection.read_json(
            files, columns=columns, format="newline_delimited", ignore_errors=True
        )
        return Reading(self._connection.create_table(f"{name}_text", view), None)

    def number(self, name: str, table: Table) -> Table:
        """Store `table` with its line numbers; DuckDB keeps the order of insertion."""
        return self.store(name, table.mutate(line=ibis.row_number()))

    def store(self, name: str, expression: Table) -> Table:
        """Evaluate into a table of the scratch database."""
        with _quiet():
            return self._connection.create_table(name, expression)

    def fetch(self, expression: Table) -> pa.Table:
        """Evaluate into memory."""
        with _quiet():
            return self._connection.to_pyarrow(expression)

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
