"""From later sessions and a backdated snapshot to the table that a ranker learns from."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.errors import DataError
from artifacts.folders import staged_folder
from artifacts.manifest import fingerprint, seal
from artifacts.neighbors import PAD_ROW
from artifacts.progress import Progress
from artifacts.ranking_table import RankingTable, write_merged
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from cli.backdating import Backdated
from cli.rank_config import RankConfig
from cli.rank_contexts import LaterSessions, Place, draw_places, places, read_later_sessions
from retrieval.ranking.context import RankContext
from retrieval.ranking.feature_kernels import list_places
from retrieval.ranking.features import FeatureComputer
from retrieval.ranking.schema import schema_of

GATHERING = "gathering"
"""Folder of the blocks of tables that are not whole yet."""

BLOCK_PLACES = 500
"""Places between two points at which an interrupted run goes on."""


@dataclass(frozen=True, slots=True)
class RankingData:
    """What candidates are gathered from.

    Attributes:
        snapshot: made from the earlier sessions alone.
        backdated: the later sessions.
        config: the table `[rank]`.
    """

    snapshot: Snapshot
    backdated: Backdated
    config: RankConfig


def make_ranking_table(data: RankingData, root: VersionedRoot, *, progress: Progress) -> Path:
    """Gather candidates, features and grades, put the table in use below `root`, return its folder.

    Lists and features are those of `retrieval.ranking`, as a server computes them. What is gathered
    is kept block by block, so that an interrupted run goes on where it was.

    Raises:
        DataError: no later session has two items.

    Cost: one or two milliseconds a place, one thread.
    """
    schema = schema_of(data.snapshot, lists=data.config.lists, clock=data.backdated.clock)
    backdated, settings = data.backdated.prepared.manifest, data.config.model_dump(mode="json")
    made_of = {
        "snapshot": data.snapshot.contents.fingerprint,
        "sessions": backdated.id,
        "schema": schema.fingerprint,
        "rank": settings,
    }
    id = fingerprint(made_of)
    if root.has(id):
        progress.start("gather candidates")
        progress.finish(f"version {id} is up to date")
    else:
        gathering = root.root / GATHERING / id
        gatherer = _Gatherer(data, FeatureComputer.of(data.snapshot, schema), gathering, progress)
        blocks = gatherer.blocks()
        with staged_folder(root.path(id)) as folder:
            table = write_merged(folder, blocks)
            seal(
                folder,
                kind="ranking_table",
                id=id,
                config=settings,
                inputs={
                    "prepared": backdated.inputs["prepared"],
                    "backdated": backdated.id,
                    "snapshot": data.snapshot.id,
                },
                versions={"numpy": np.__version__},
                details={"contexts": len(table), "candidates": len(table.rows)},
            )
        shutil.rmtree(root.root / GATHERING, ignore_errors=True)
    root.use(id)
    return root.path(id)


class _Gatherer:
    """Fills blocks of places, and keeps those that are done."""

    def __init__(
        self, data: RankingData, computer: FeatureComputer, folder: Path, progress: Progress
    ) -> None:
        self._data = data
        self._computer = computer
        self._folder = folder
        self._progress = progress

    def blocks(self) -> list[RankingTable]:
        """Return the tables of all blocks, those that are missing gathered now."""
        config, backdated = self._data.config, self._data.backdated
        path = backdated.prepared.heldout_sessions
        sessions = read_later_sessions(path, clock=backdated.clock, seed=config.seed)
        drawn = draw_places(sessions, config)
        if not drawn:
            raise DataError(f"rank: expected later sessions of two items, found none in {path}")
        self._progress.start("gather candidates", total=len(drawn))
        tables = []
        for number, chunk in enumerate(_chunks(drawn, BLOCK_PLACES)):
            tables.append(self._block(number, sessions, chunk))
            self._progress.advance(len(chunk))
        candidates = sum(len(table.rows) for table in tables)
        self._progress.finish(
            f"{len(drawn):,} places, {candidates / len(drawn):.0f} candidates each"
        )
        return tables

    def _block(
        self, number: int, sessions: LaterSessions, chunk: list[tuple[int, int]]
    ) -> RankingTable:
        folder = self._folder / f"block-{number:05}"
        if not folder.exists():
            found = places(sessions, chunk, self._data.config.ahead)
            table = gather_block(self._data.snapshot, self._computer, found, sessions.levels)
            with staged_folder(folder) as staging:
                table.save(staging)
        return RankingTable.map(folder)


def gather_block(
    snapshot: Snapshot, computer: FeatureComputer, found: Iterable[Place], levels: int
) -> RankingTable:
    """Return the candidates of some places.

    Args:
        snapshot: what knows items and shoppers.
        computer: of its features.
        found: the places.
        levels: the highest grade there is.
    """
    groups = [_group(snapshot, computer, place, levels) for place in found]
    return RankingTable(
        features=np.concatenate([group.features for group in groups]),
        labels=np.concatenate([group.labels for group in groups]),
        offsets=np.cumsum([0, *(len(group.rows) for group in groups)], dtype=np.int64),
        rows=np.concatenate([group.rows for group in groups]),
        ranks=np.concatenate([group.ranks for group in groups]),
        missed=np.stack([group.missed for group in groups]),
        when=np.array([group.when for group in groups], dtype=np.int64),
        schema=computer.schema,
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """The candidates of one place."""

    features: NDArray[np.float32]
    labels: NDArray[np.int8]
    rows: IntVector
    ranks: NDArray[np.int16]
    missed: NDArray[np.int16]
    when: int


def _group(snapshot: Snapshot, computer: FeatureComputer, place: Place, levels: int) -> _Group:
    users = snapshot.users
    user_row = users.row(place.user) if users is not None and place.user else PAD_ROW
    context = RankContext.of(place.visited, user_row=user_row)
    lists = computer.sources.gather(context)
    rows = lists.pool()
    labels, missed = _grade(rows, place.graded(), levels)
    ranks, _ = list_places(lists.offsets, lists.rows, lists.scores, rows)
    features = computer.compute(context, lists, rows)
    return _Group(features, labels, rows, ranks, missed, place.when)


def _grade(
    rows: IntVector, graded: dict[int, int], levels: int
) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
    """Return the grades of ascending rows, and how much of each grade is none of them."""
    labels = np.zeros(len(rows), dtype=np.int8)
    missed = np.zeros(levels, dtype=np.int16)
    for row, grade in graded.items():
        at = int(np.searchsorted(rows, row))
        if at < len(rows) and rows[at] == row:
            labels[at] = grade
        else:
            missed[grade - 1] += 1
    return labels, missed


def _chunks(drawn: Sequence[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    remaining = iter(drawn)
    while chunk := list(islice(remaining, size)):
        yield chunk
