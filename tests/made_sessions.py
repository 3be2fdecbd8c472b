"""Seeded sessions that stay within a theme, as those of shoppers do, and files that hold them."""

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from trainer.config import PrepareConfig
from trainer.prepare import prepare

START = datetime(2026, 1, 1)
COLUMNS = {"user_id": "user_id", "position": "position", "timestamp": "timestamp"}

Row = dict[str, Any]


def themed_sessions(
    count: int, *, themes: int = 8, items_per_theme: int = 12, length: int = 6, seed: int = 0
) -> list[list[str]]:
    """Return sessions of items `t<theme>-<n>` from one theme each; low numbers are popular."""
    rng = np.random.default_rng(seed)
    sessions = []
    for _ in range(count):
        theme = rng.integers(themes)
        popular = rng.integers(items_per_theme, size=(length, 2)).min(axis=1)
        sessions.append([f"t{theme}-{n:02d}" for n in popular])
    return sessions


def rows_of(sessions: Iterable[Sequence[str]]) -> list[Row]:
    """Return one event a line; session i starts i minutes after `START`, a line a second."""
    return [
        {
            "user_id": f"u{number % 7}",
            "session_id": f"s{number:05d}",
            "position": str(place),
            "item_id": item,
            "timestamp": (START + timedelta(minutes=number, seconds=place)).isoformat(" "),
        }
        for number, session in enumerate(sessions)
        for place, item in enumerate(session)
    ]


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows of text as the suffix of `path` says."""
    match path.suffix:
        case ".csv":
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        case _:
            pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def config_for(path: Path, **changes: Any) -> PrepareConfig:
    """Return settings for the events that `rows_of` makes; `changes` replace whole tables."""
    events = {"path": str(path), "columns": COLUMNS}
    return PrepareConfig.model_validate({"events": events, "threads": 1, **changes})


def prepare_sessions(folder: Path, made: Iterable[Sequence[str]], /, **changes: Any) -> Prepared:
    """Write the sessions `made` as events below `folder` and prepare them."""
    folder.mkdir(parents=True, exist_ok=True)
    events = write_rows(folder / "events.parquet", rows_of(made))
    root = VersionedRoot(folder / "prepared")
    return prepare(config_for(events, **changes), root, progress=SilentProgress())


def read_sessions(path: Path, prepared: Prepared) -> dict[str, list[str]]:
    """Return the item ids of every session of a prepared file, by session id."""
    rows = pq.read_table(path, columns=["session_id", "items"]).to_pylist()
    return {row["session_id"]: prepared.items.ids(row["items"]) for row in rows}
