"""Preparation on Spark against preparation on DuckDB: the same rows."""

import gc
import importlib.util
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from artifacts.errors import BackendUnavailableError, DataError
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from tests.made_events import KINDS, KINDS_COLUMNS, made_events
from tests.made_sessions import config_for, write_rows
from trainer.config import PrepareConfig
from trainer.prepare import prepare

HAS_SPARK = importlib.util.find_spec("pyspark") is not None


def prepare_on(engine: str, config: PrepareConfig, folder: Path) -> Prepared:
    # Little data: a compiler for every query would cost more than it saves.
    spark = {"spark.sql.shuffle.partitions": "1", "spark.sql.codegen.wholeStage": "false"}
    run = config.model_copy(update={"engine": engine, "spark": spark})
    return prepare(run, VersionedRoot(folder / engine), progress=SilentProgress())


# The library leaves the closing of its sockets to the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """One session for all tests of this file; starting one takes seconds."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    for name in ("spark.driver.host", "spark.driver.bindAddress"):
        builder = builder.config(name, "127.0.0.1")
    session = builder.config("spark.driver.memory", "1g").getOrCreate()
    yield session
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        session.stop()
        gc.collect()


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def same(one: Prepared, other: Prepared) -> None:
    assert rows(one.train_sessions) == rows(other.train_sessions)
    assert rows(one.heldout_sessions) == rows(other.heldout_sessions)
    assert len(rows(one.train_sessions))
    report = "report.json"
    assert (one.path / report).read_text() == (other.path / report).read_text()
    assert one.items.ids(range(len(one.items))) == other.items.ids(range(len(other.items)))
    places = range(len(one.items))
    assert [one.catalog.titles[n] for n in places] == [other.catalog.titles[n] for n in places]


RANDOM = {"kind": "random", "fraction": 0.3}
TIME = {"kind": "time", "fraction": 0.2}
COLUMN = {"kind": "column", "column": "part"}


@pytest.mark.extras
@pytest.mark.parametrize(
    ("order", "split"),
    [("position", RANDOM), ("timestamp", TIME), ("none", COLUMN), ("none", {"kind": "none"})],
    ids=["position random", "timestamp time", "basket column", "basket none"],
)
def test_same_rows_as_duckdb_by_order_and_split(tmp_path, spark, order, split):
    path = write_rows(tmp_path / "events.parquet", made_events())
    sessions = {"order": order, "min_item_sessions": 5}
    config = config_for(path, split=split, sessions=sessions)
    same(*(prepare_on(engine, config, tmp_path) for engine in ("duckdb", "spark")))


@pytest.mark.extras
def test_same_rows_as_duckdb_by_gap_with_kinds_and_rules(tmp_path, spark):
    path = write_rows(tmp_path / "events.parquet", made_events())
    config = config_for(
        path,
        events={"path": str(path), "columns": KINDS_COLUMNS},
        kinds=KINDS,
        sessions={"gap_minutes": 10},
        outliers={
            "max_session_events": 30,
            "max_user_day_events": 60,
            "max_items_per_minute": 6,
        },
    )
    one, other = (prepare_on(engine, config, tmp_path) for engine in ("duckdb", "spark"))
    same(one, other)
    assert "too many" in (one.path / "report.md").read_text()


@pytest.mark.extras
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_same_rows_as_duckdb_from_text_with_a_catalogue(tmp_path, spark, suffix):
    events = write_rows(tmp_path / f"events{suffix}", made_events())
    with events.open("a", newline="") as file:
        file.write("s1,u1\r\n" if suffix == ".csv" else "{broken\n")
    titles = [("i01", "One, quoted"), ("i01", "again"), ("zz", "Émile"), ("", "nameless")]
    items = write_rows(
        tmp_path / f"items{suffix}", [{"item_id": id, "title": title} for id, title in titles]
    )
    config = config_for(
        events,
        items={"path": str(items), "columns": {"title": "title"}},
    )
    one, other = (prepare_on(engine, config, tmp_path) for engine in ("duckdb", "spark"))
    same(one, other)
    for name in ("events", "items"):
        rejected = [
            sorted(map(str, rows(p.path / "rejected" / f"{name}.parquet"))) for p in (one, other)
        ]
        assert rejected[0] == rejected[1]
        assert rejected[0]


@pytest.mark.extras
def test_file_of_another_format_is_an_error(tmp_path, spark):
    (tmp_path / "e.parquet").write_text("session_id,item_id\n1,2\n")
    with pytest.raises(DataError, match=r"e\.parquet"):
        prepare_on("spark", config_for(tmp_path / "e.parquet"), tmp_path)


@pytest.mark.skipif(HAS_SPARK, reason="the extra `spark` is installed")
def test_without_spark_the_extra_is_named(tmp_path):
    path = write_rows(tmp_path / "events.parquet", made_events())
    with pytest.raises(BackendUnavailableError, match=r"shelfmate\[spark\]"):
        prepare_on("spark", config_for(path), tmp_path)
    assert list((tmp_path / "spark").iterdir()) == []
