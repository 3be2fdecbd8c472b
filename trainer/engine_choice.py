"""Open the engine that the settings name."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from artifacts.errors import BackendUnavailableError, DataError
from trainer.config import PrepareConfig
from trainer.duckdb_engine import DuckdbEngine
from trainer.engine import Engine
from trainer.scratch import scratch_folder


@contextmanager
def open_engine(config: PrepareConfig, folder: Path) -> Iterator[Engine]:
    """Give an engine whose intermediate tables and spilled blocks lie in `folder` until it closes.

    Raises:
        BackendUnavailableError: the engine is not installed.
        DataError: the engine failed on the data; its own message is kept.
    """
    with scratch_folder(folder) as scratch:
        match config.engine:
            case "duckdb":
                opened = _duckdb(config, scratch)
            case "spark":
                opened = _spark(config, scratch)
        with opened as engine:
            yield engine


@contextmanager
def _duckdb(config: PrepareConfig, scratch: Path) -> Iterator[Engine]:
    try:
        with closing(DuckdbEngine(config, scratch)) as engine:
            yield engine
    except duckdb.Error as error:
        raise DataError(f"prepare: the data cannot be processed: {error}") from error


@contextmanager
def _spark(config: PrepareConfig, scratch: Path) -> Iterator[Engine]:
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        from trainer.spark_engine import SparkEngine
    except ModuleNotFoundError as error:
        raise BackendUnavailableError(
            f'engine = "spark" under [prepare] needs {error.name}, which the extra `spark` brings: '
            "install shelfmate[spark]"
        ) from error
    try:
        with closing(SparkEngine(config, scratch)) as engine:
            yield engine
    except (PySparkException, Py4JError) as error:
        raise DataError(f"prepare: the data cannot be processed by Spark: {error}") from error
