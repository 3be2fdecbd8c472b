"""Blocks computed by Spark, for catalogues that outgrow a machine."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from artifacts.errors import ArtifactError
from artifacts.java import find_java
from indexer.native_threads import limit_native_threads
from indexer.precompute.engine import BlockTask
from indexer.precompute.part_search import PartSearch
from indexer.precompute.part_work import PartWork

WAVE = 8
"""Blocks for each core before progress is told and the next ones are handed out."""

OPEN_PARTS = 4
"""Parts that a worker keeps open; blocks of one part come one after another."""

SCHEMA = "items long"


@dataclass(frozen=True, slots=True)
class OnSpark:
    """Has each block computed by the worker that it falls to, from files that all workers see.

    The block function is that of the threads, and so are the blocks. Workers read the saved index
    and the vectors, and write blocks, below the root of the snapshots, which must lie under the
    same path everywhere; Spark itself carries numbers only. A session that this process has open
    already is used as it is, and stays open.

    Attributes:
        properties: of the session; without `spark.master`, Spark runs in this machine alone.
        threads: cores that are used then.
    """

    properties: Mapping[str, str]
    threads: int

    def run(self, tasks: Sequence[BlockTask]) -> Iterator[int]:
        """Compute all blocks.

        Raises:
            ArtifactError: a worker failed; its own message is kept.
        """
        if not tasks:
            return
        found = SparkSession.getActiveSession()
        session = found or _open_session(self.properties, self.threads)
        try:
            yield from _in_waves(session, tasks)
        except (PySparkException, Py4JError) as error:
            raise ArtifactError(f"neighbours: Spark could not compute them: {error}") from error
        finally:
            if found is None:
                session.stop()


def _in_waves(session: SparkSession, tasks: Sequence[BlockTask]) -> Iterator[int]:
    size = WAVE * session.sparkContext.defaultParallelism
    left = iter(tasks)
    # Copies of the parts, because what they have mapped would be sent along with them.
    while wave := tuple((replace(task.work), task.number) for task in islice(left, size)):
        # A partition each, so that a slow block holds up nothing but itself.
        numbers = session.range(0, len(wave), 1, len(wave))
        for row in numbers.mapInArrow(_Wave(wave), SCHEMA).collect():
            yield int(row["items"])


@dataclass(frozen=True, slots=True)
class _Wave:
    """Computes the blocks whose places among `tasks` it is given; sent to the workers."""

    tasks: tuple[tuple[PartWork, int], ...]

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        limit_native_threads(1)
        for batch in batches:
            items = [self._compute(place) for place in batch.column(0).to_pylist()]
            yield pa.RecordBatch.from_pydict({"items": pa.array(items, pa.int64())})

    def _compute(self, place: int) -> int:
        work, number = self.tasks[place]
        return work.compute(_opened(work), number)


@lru_cache(maxsize=OPEN_PARTS)
def _opened(work: PartWork) -> PartSearch:
    return work.open()


def _open_session(properties: Mapping[str, str], threads: int) -> SparkSession:
    find_java("[index.precompute]")
    if "spark.master" not in properties:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("shelfmate index")
    for name, value in (_defaults(properties, threads) | dict(properties)).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _defaults(properties: Mapping[str, str], threads: int) -> dict[str, str]:
    common = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    if "spark.master" in properties:
        return common
    # Alone on a machine, Spark speaks to itself and to nobody else.
    return common | {
        "spark.master": f"local[{threads}]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }
