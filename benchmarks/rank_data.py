"""The data sets that the ranker's bar is stated on, as shops.

Settings of the spaces are those of the quality bars; those of the ranker were chosen on parts that the
report does not look at.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.quality_data import COMPLETE_JOURNEY, DIGINETICA, INSTACART, QualityData
from cli.shop import ShopConfig

EXACT = {"kind": "exact"}
LISTED = 100
"""Neighbours precomputed for an item: as many as a list of candidates holds."""

INSTACART_EVENTS = """
COPY (
    SELECT
        user_id, session_id, position, item_id,
        -- Baskets have no date: all of them are before the histories.
        TIMESTAMP '2016-12-31' AS timestamp
    FROM read_parquet('{baskets}')
    UNION ALL
    SELECT
        'history ' || user_id, 'history ' || session_id, position, item_id,
        -- Nor have histories, but an order: each runs from the first day of a made year to its last.
        TIMESTAMP '2017-01-01' + to_seconds(CAST(
            365 * 86400 * (order_number / (1 + max(order_number) OVER (PARTITION BY user_id)))
        AS BIGINT))
    FROM read_parquet('{histories}')
) TO '{target}' (FORMAT parquet)
"""


DIGINETICA_EVENTS = """
COPY (
    SELECT
        session_id, position, item_id,
        -- Sessions have no date, but numbers that follow time: popularity drifts with them, and those of
        -- the test part come last.
        TIMESTAMP '2016-01-01' + to_minutes(session_id::BIGINT) AS timestamp
    FROM read_parquet('{events}')
) TO '{target}' (FORMAT parquet)
"""
DIGINETICA_TEST = 15_963 / 202_633
"""Share of the sessions in its own test part."""


@dataclass(frozen=True, slots=True)
class RankData:
    """One data set.

    Attributes:
        quality: files, preparation and training of the space `cf`.
        prepare: what differs from its table `[prepare]`.
        train: the table `[train]` but for `cf`.
        rank: the table `[rank]`.
        write_events: makes the events out of a folder of data, where they are not there as they stand.
    """

    quality: QualityData
    prepare: dict[str, Any]
    train: dict[str, Any]
    rank: dict[str, Any]
    write_events: Callable[[Path, Path], None] | None = None
    spaces: tuple[str, ...] = field(default=())
    """Spaces that are indexed beside `cf`."""

    @property
    def name(self) -> str:
        """Name, also of the folder of the files."""
        return self.quality.name

    def shop(self, data: Path, work: Path) -> ShopConfig:
        """Return the shop of the files below `data`, kept below `work`."""
        return ShopConfig.model_validate(
            {
                "work_dir": work / self.name,
                "prepare": self._prepare(data, work),
                "train": {"cf": self.quality.train, "ranker": {}, **self.train},
                "rank": self.rank,
                "index": {"spaces": [_indexed("cf"), *map(_indexed, self.spaces)]},
            }
        )

    def _prepare(self, data: Path, work: Path) -> dict[str, Any]:
        events = data / self.name / "events.parquet"
        if self.write_events is not None:
            events = work / self.name / "events.parquet"
            if not events.exists():
                events.parent.mkdir(parents=True, exist_ok=True)
                self.write_events(data / self.name, events)
        table = self.quality.prepare | self.prepare
        columns = table.pop("columns")
        table["events"] = {"path": str(events), "columns": columns}
        if self.quality.item_columns:
            path = str(data / self.name / "items.parquet")
            table["items"] = {"path": path, "columns": self.quality.item_columns}
        return table


def _indexed(space: str) -> dict[str, Any]:
    if space == "user":  # its vectors are features; no list is made of it
        return {"space": space, "relations": ["continuations"], "neighbors": 0, "backend": EXACT}
    return {"space": space, "neighbors": LISTED, "backend": EXACT}


def write_instacart(source: Path, target: Path) -> None:
    """Write single baskets and, after them, the histories of users, by a made clock."""
    baskets, histories = source / "events.parquet", source / "user_histories.parquet"
    _write(INSTACART_EVENTS, target, baskets=baskets, histories=histories)


def write_diginetica(source: Path, target: Path) -> None:
    """Write all sessions by a made clock."""
    _write(DIGINETICA_EVENTS, target, events=source / "events.parquet")


def _write(statement: str, target: Path, **files: Path) -> None:
    aside = target.with_suffix(".aside")
    with duckdb.connect() as connection:
        connection.execute(statement.format(target=aside, **files))
    aside.replace(target)


TABLES: dict[str, Any] = {"covisitation": {}, "sessions": {}}
RANK_DATA = {
    data.name: data
    for data in (
        RankData(
            quality=COMPLETE_JOURNEY,
            prepare={
                "columns": {"timestamp": "timestamp", "user_id": "user_id"},
                "split": {"kind": "none"},
            },
            train={
                "content": {},
                "user": {"alpha": 0.5, "regularisation": 30},
                "tables": TABLES,
            },
            rank={"positions": 1, "ahead": 200, "lists": {"half_life": None}},
            spaces=("content", "user"),
        ),
        RankData(
            quality=INSTACART,
            prepare={
                "columns": {
                    "position": "position",
                    "timestamp": "timestamp",
                    "user_id": "user_id",
                },
                "split": {"kind": "none"},
            },
            train={
                "content": {},
                "user": {"alpha": 0.5, "regularisation": 30},
                "tables": TABLES,
            },
            # The last orders of the users with histories: a third of them.
            rank={"fraction": 0.035, "positions": 4, "lists": {"half_life": 6.0}},
            write_events=write_instacart,
            spaces=("content", "user"),
        ),
        RankData(
            quality=DIGINETICA,
            prepare={
                "columns": {"position": "position", "timestamp": "timestamp"},
                "split": {"kind": "none"},
            },
            train={"tables": TABLES},
            # Its own test part. Every eighth step goes back to what was visited before.
            rank={
                "fraction": DIGINETICA_TEST,
                "positions": 4,
                "contexts": 40_000,
                "lists": {"revisits": True},
            },
            write_events=write_diginetica,
        ),
    )
}
