"""Spark as the engine of preparation."""

import os
import re
import shutil
from functools import reduce
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.types import TimestampType

from artifacts.errors import DataError
from artifacts.java import find_java
from trainer.config import PrepareConfig
from trainer.engine import Reading
from trainer.sources import Source

CORRUPT = "_corrupt_record"
BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BINARY_BYTES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class SparkEngine:
    """A Spark session, in this machine unless its properties say otherwise; see `Engine`.

    A session that this process has open already is used as it is, and stays open.
    """

    packages = ("pyspark", "ibis-framework")

    def __init__(self, config: PrepareConfig, scratch: Path) -> None:
        self._scratch = scratch
        self._found = SparkSession.getActiveSession() is not None
        self._session = _open_session(config, scratch)
        self._backend = ibis.pyspark.connect(self._session)

    def read(self, source: Source) -> Reading:
        """Open the files of `source`, one after another."""
        try:
            frames = [self._frame_of(file, source.format) for file in source.files]
        except AnalysisException as error:
            files = ", ".join(map(str, source.files))
            raise DataError(f"{files}: cannot be read as {source.format}: {error}") from error
        # A union keeps the files in order, where one reader would take the largest first.
        together = reduce(
            lambda one, other: one.unionByName(other, allowMissingColumns=True), frames
        )
        if source.format != "csv":
            return Reading(source.name, self._view(f"{source.name}_rows", together), None)
        # Spark asks nothing but broken lines of a raw file, so the text is kept first.
        text = self._keep(f"{source.name}_text", together)
        broken = text[CORRUPT].notnull()
        malformed = text.filter(broken).select(source_line=text[CORRUPT])
        return Reading(source.name, text.filter(~broken).drop(CORRUPT), malformed)

    def _frame_of(self, file: Path, format: str) -> DataFrame:
        reader = self._session.read
        match format:
            case "csv":
                return self._csv(file)
            case "jsonl":
                frame = reader.option("primitivesAsString", True).json(str(file))
                return frame.drop(CORRUPT)
        return reader.parquet(str(file))

    def _csv(self, file: Path) -> DataFrame:
        reader = self._session.read.option("header", True).option("escape", '"')
        names = reader.csv(str(file)).columns
        fields = ", ".join(f"`{name.replace('`', '``')}` STRING" for name in [*names, CORRUPT])
        return reader.schema(fields).option("columnNameOfCorruptRecord", CORRUPT).csv(str(file))

    def number(self, name: str, table: Table) -> Table:
        """Store `table` with its line numbers; they ascend, with gaps between blocks of a file."""
        frame = self._evaluate(table)
        return self._keep(name, frame.withColumn("line", sql.monotonically_increasing_id()))

    def store(self, name: str, expression: Table) -> Table:
        """Evaluate into Parquet files of the scratch folder."""
        return self._keep(name, self._evaluate(expression))

    def fetch(self, expression: Table) -> pa.Table:
        """Evaluate into memory."""
        return self._evaluate(expression).toArrow()

    def write(self, expression: Table, path: Path) -> None:
        """Evaluate in parts, then join these to one file: parts of a sorted frame are in order."""
        parts = self._scratch / f"{path.stem}.parts"
        self._evaluate(expression).write.parquet(str(parts))
        _join(sorted(parts.glob("part-*.parquet")), path)
        shutil.rmtree(parts)

    def close(self) -> None:
        """End the session, if it was opened here."""
        if not self._found:
            self._session.stop()

    def _evaluate(self, expression: Table) -> DataFrame:
        return _zoneless(self._session.sql(self._backend.compile(expression)))

    def _keep(self, name: str, frame: DataFrame) -> Table:
        folder = str(self._scratch / name)
        frame.write.parquet(folder)
        return self._view(name, self._session.read.parquet(folder))

    def _view(self, name: str, frame: DataFrame) -> Table:
        frame.createOrReplaceTempView(name)
        return self._backend.table(name)


def _zoneless(frame: DataFrame) -> DataFrame:
    """Return `frame` with times as they are in UTC, without a zone, as all artifacts hold them."""
    zoned = [field.name for field in frame.schema if isinstance(field.dataType, TimestampType)]
    return frame.withColumns({name: sql.col(name).cast("timestamp_ntz") for name in zoned})


def _open_session(config: PrepareConfig, scratch: Path) -> SparkSession:
    find_java("[prepare]")
    builder = SparkSession.builder.appName("shelfmate prepare")
    for name, value in (_properties(config, scratch) | config.spark).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _properties(config: PrepareConfig, scratch: Path) -> dict[str, str]:
    properties = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.binaryAsString": "true",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.local.dir": str(scratch / "spill"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": f"{_mebibytes(config.memory_limit)}m",
        # Timestamps of Parquet files have no zone: what they say is UTC.
        "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    }
    if "spark.master" in config.spark:
        return properties
    # Alone on a machine, Spark speaks to itself and to nobody else.
    return properties | {
        "spark.master": f"local[{config.threads or '*'}]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": str(4 * (config.threads or os.cpu_count() or 1)),
    }


def _mebibytes(limit: str) -> int:
    found = re.fullmatch(r"([\d.]+)\s*([KMGT]?)(i?)B", limit)
    assert found, "bug: the settings let through a limit that is none"
    number, unit, binary = found.groups()
    return int(float(number) * (BINARY_BYTES if binary else BYTES)[unit] / 2**20)


def _join(parts: list[Path], path: Path) -> None:
    with pq.ParquetWriter(path, pq.read_schema(parts[0]), compression="zstd") as writer:
        for part in parts:
            with pq.ParquetFile(part) as file:
                for batch in file.iter_batches():
                    writer.write_batch(batch)
