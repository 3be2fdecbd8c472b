"""Neighbours computed by Spark against those computed by threads: the same rows."""

import gc
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from artifacts.errors import ArtifactError, BackendUnavailableError
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from indexer.bands_config import BandsConfig
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import ExactConfig, IndexConfig, PrecomputeConfig, SpaceIndexConfig
from indexer.precompute import block_engine
from indexer.precompute.block_store import BlockStore
from indexer.precompute.engine import BlockTask
from indexer.precompute.part_search import PartSearch
from indexer.precompute.part_work import PartWork
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared

HAS_SPARK = importlib.util.find_spec("pyspark") is not None
ITEMS = 6_000
UNUSED: PartSearch = None  # type: ignore[assignment]  # workers open a search of their own

# The library leaves the closing of its sockets to the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(scope="module")
def spark() -> Iterator[object]:
    """A local session of two cores; starting one takes seconds."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    for name in ("spark.driver.host", "spark.driver.bindAddress"):
        builder = builder.config(name, "127.0.0.1")
    session = builder.config("spark.driver.memory", "1g").getOrCreate()
    yield session
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        session.stop()
        gc.collect()


def config(engine: str) -> IndexConfig:
    spaces = tuple(
        SpaceIndexConfig(
            space=name,
            backend=ExactConfig(),
            neighbors=8,
            per_category=name == "content",
            bands=BandsConfig(max_to_source=0.9, max_between=0.6) if name == "cf" else None,
        )
        for name in ("cf", "content")
    )
    computed = PrecomputeConfig.model_validate({"engine": engine})
    return IndexConfig(spaces=spaces, precompute=computed, threads=2)


@pytest.fixture
def inputs(tmp_path: Path) -> SnapshotInputs:
    prepared = write_prepared(tmp_path / "prepared", ITEMS)
    cf = write_embedding(
        tmp_path / "cf", range(ITEMS), clustered(ITEMS, 12, seed=1), clustered(ITEMS, 12, seed=2)
    )
    content = write_embedding(
        tmp_path / "content", range(ITEMS), clustered(ITEMS, 12, seed=3), space="content"
    )
    return SnapshotInputs(prepared, {"cf": cf, "content": content})


def built(inputs: SnapshotInputs, engine: str, root: Path) -> Snapshot:
    return build_snapshot(
        inputs, config(engine), VersionedRoot(root), progress=SilentProgress(), now=MADE_AT
    )


@pytest.mark.extras
def test_same_rows_as_by_threads(inputs: SnapshotInputs, tmp_path: Path, spark: object):
    one, other = (built(inputs, engine, tmp_path / engine) for engine in ("threads", "spark"))
    assert set(one.neighbors) == set(other.neighbors)
    for which, table in one.neighbors.items():
        np.testing.assert_array_equal(table.positions, other.neighbors[which].positions)
        np.testing.assert_array_equal(table.rows, other.neighbors[which].rows)
        np.testing.assert_array_equal(table.scores, other.neighbors[which].scores)
    parts = [[entry.parts for entry in each.contents.neighbors] for each in (one, other)]
    assert parts[0] == parts[1]
    assert any(part.too_close_to_better for part in parts[0][0].values())


@pytest.mark.extras
def test_failure_of_a_worker_is_told(inputs: SnapshotInputs, tmp_path: Path, spark: object):
    from indexer.precompute.on_spark import OnSpark

    gone = tmp_path / "gone"
    work = PartWork(BlockStore(gone), gone, gone, Relation.ALTERNATIVES, 5, 3)
    with pytest.raises(ArtifactError, match=r"Spark could not compute them(.|\n)*gone"):
        list(OnSpark({}, 1).run([BlockTask(work, UNUSED, 0)]))


@pytest.mark.skipif(HAS_SPARK, reason="the extra `spark` is installed")
def test_without_spark_the_extra_is_named():
    with pytest.raises(BackendUnavailableError, match=r"shelfmate\[spark\]"):
        block_engine(config("spark"))
