"""Visits cut by pauses, against a loop over each user's events."""

from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
import pyarrow.parquet as pq

from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from tests.made_sessions import START, Row, write_rows
from trainer.config import PrepareConfig
from trainer.prepare import prepare

GAP = 30


def made_log(seed: int = 1) -> list[Row]:
    """Events of 15 users at pauses around the gap, some at one moment, in no order."""
    rng = np.random.default_rng(seed)
    pauses = [0, 1, GAP * 60 - 1, GAP * 60, GAP * 60 + 1, 7200]
    rows = []
    for user in range(15):
        moment = START
        for _ in range(int(rng.integers(1, 25))):
            moment += timedelta(seconds=int(rng.choice(pauses)))
            item = f"i{rng.integers(9)}"
            rows.append({"user_id": f"u/{user}", "item_id": item, "timestamp": str(moment)})
    return [rows[place] for place in rng.permutation(len(rows))]


def visits_of(rows: list[Row]) -> dict[str, list[str]]:
    """Return the sorted items of every visit, by user and number."""
    by_user: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_user[row["user_id"]].append(row)
    visits: dict[str, list[str]] = defaultdict(list)
    for user, events in by_user.items():
        number, last = 0, datetime.min
        for event in sorted(events, key=lambda event: event["timestamp"]):
            moment = datetime.fromisoformat(event["timestamp"])
            number += moment - last > timedelta(minutes=GAP)
            last = moment
            visits[f"{user}/{number}"].append(event["item_id"])
    return {id: sorted(items) for id, items in visits.items() if len(items) > 1}


def prepared_visits(folder, rows: list[Row]) -> dict[str, list[str]]:
    config = PrepareConfig.model_validate(
        {
            "events": {
                "path": str(write_rows(folder / "events.csv", rows)),
                "columns": {"user_id": "user_id", "timestamp": "timestamp"},
            },
            "sessions": {"gap_minutes": GAP, "drop_repeats": False},
            "split": {"kind": "none"},
        }
    )
    prepared = prepare(config, VersionedRoot(folder / "root"), progress=SilentProgress())
    table = pq.read_table(prepared.train_sessions, columns=["session_id", "items"]).to_pylist()
    found = {row["session_id"]: sorted(prepared.items.ids(row["items"])) for row in table}
    return dict(sorted(found.items(), key=lambda visit: _number(visit[0])))


def _number(id: str) -> int:
    return int(id.rpartition("/")[2])


def test_a_visit_ends_after_a_longer_pause_than_the_gap(tmp_path):
    rows = made_log()
    expected = visits_of(rows)
    assert prepared_visits(tmp_path, rows) == expected
    assert len(expected) > 15


def test_later_events_change_only_the_last_visit_of_a_user(tmp_path):
    rows = sorted(made_log(), key=lambda row: row["timestamp"])
    (tmp_path / "half").mkdir()
    half = prepared_visits(tmp_path / "half", rows[: len(rows) // 2])
    whole = prepared_visits(tmp_path, rows)
    last = {id.rpartition("/")[0]: id for id in half}  # ascending numbers: the last stays
    closed = [id for id in half if id != last[id.rpartition("/")[0]]]
    assert [whole[id] for id in closed] == [half[id] for id in closed]
    assert closed


def test_events_without_a_user_are_refused_where_a_gap_makes_the_visits(tmp_path):
    rows = [*made_log(), {"user_id": "", "item_id": "i1", "timestamp": str(START)}]
    prepared_visits(tmp_path, rows)
    (folder,) = [path for path in (tmp_path / "root").iterdir() if path.is_dir()]
    rejected = pq.read_table(folder / "rejected" / "events.parquet").to_pylist()
    assert [row["reason"] for row in rejected] == ["missing user_id"]
