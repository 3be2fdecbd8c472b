"""Rules against bots, each against what a loop finds."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from tests.made_sessions import COLUMNS, START, Row, write_rows
from trainer.config import PrepareConfig
from trainer.prepare import prepare


def visit(name: str, items: str, *, pause_s: int = 30, user: str = "", day: int = 0) -> list[Row]:
    """Return the events of a session, one letter an item."""
    return [
        {
            "session_id": name,
            "user_id": user or f"user of {name}",
            "item_id": item,
            "position": str(place),
            "timestamp": str(START + timedelta(days=day, seconds=place * pause_s)),
        }
        for place, item in enumerate(items)
    ]


VISITS = [
    *visit("calm", "abca"),
    *visit("long", "abababab"),
    *visit("quick", "abcdef", pause_s=1),
    *visit("again", "aaaaaa", pause_s=1),
    *visit("monday", "abcd", user="busy"),
    *visit("also monday", "cdef", user="busy"),
    *visit("tuesday", "abcd", user="busy", day=1),
]


def prepared_by(folder: Path, rules: dict[str, int], **changes: Any) -> Prepared:
    events = {"path": str(write_rows(folder / "e.csv", VISITS)), "columns": COLUMNS}
    config = PrepareConfig.model_validate(
        {"events": events, "outliers": rules, "split": {"kind": "none"}, **changes}
    )
    return prepare(config, VersionedRoot(folder / "root"), progress=SilentProgress())


def kept(prepared: Prepared) -> set[str]:
    return set(pq.read_table(prepared.train_sessions).column("session_id").to_pylist())


ALL = {row["session_id"] for row in VISITS} - {"again"}  # one item, repeated, is too short


@pytest.mark.parametrize(
    ("rules", "gone", "reasons"),
    [
        ({}, set(), {}),
        ({"max_session_events": 7}, {"long"}, {"too many events in the session": 1}),
        ({"max_session_events": 8}, set(), {}),
        (
            {"max_user_day_events": 7},
            {"long", "monday", "also monday"},
            {"too many events of the user in a day": 3},
        ),
        ({"max_items_per_minute": 5}, {"quick"}, {"too many different items in a minute": 1}),
        (
            {"max_items_per_minute": 5, "max_session_events": 7},
            {"quick", "long"},
            {"too many different items in a minute": 1, "too many events in the session": 1},
        ),
    ],
)
def test_sessions_that_break_a_rule_are_dropped_whole_and_counted(tmp_path, rules, gone, reasons):
    prepared = prepared_by(tmp_path, rules)
    assert kept(prepared) == ALL - gone
    report = json.loads((prepared.path / "report.json").read_text())
    assert report["outliers"] == reasons
    text = (prepared.path / "report.md").read_text()
    assert all(f"| {reason} | {count} |" in text for reason, count in reasons.items())


def test_a_session_that_breaks_two_rules_counts_once(tmp_path):
    prepared = prepared_by(tmp_path, {"max_items_per_minute": 5, "max_session_events": 5})
    report = json.loads((prepared.path / "report.json").read_text())
    assert report["outliers"] == {
        "too many different items in a minute": 1,
        "too many events in the session": 2,
    }


def test_outliers_lend_no_support_to_items(tmp_path):
    sessions = {"min_item_sessions": 5}
    with_bot = prepared_by(tmp_path, {}, sessions=sessions)
    without = prepared_by(tmp_path, {"max_session_events": 7}, sessions=sessions)
    lists = [pq.read_table(p.train_sessions).column("items") for p in (with_bot, without)]
    known = [
        {p.items.id(row) for items in column.to_pylist() for row in items}
        for p, column in zip((with_bot, without), lists, strict=True)
    ]
    assert "b" in known[0]
    assert "b" not in known[1]


def test_items_that_only_outliers_hold_stay_in_the_vocabulary(tmp_path):
    prepared = prepared_by(tmp_path, {"max_items_per_minute": 5, "max_user_day_events": 7})
    assert kept(prepared) == {"calm", "tuesday"}
    assert prepared.items.ids(range(len(prepared.items))) == list("abcdef")


def test_nothing_but_outliers_is_an_error_that_says_so(tmp_path):
    with pytest.raises(DataError, match=r"no training session is left.*too many events"):
        prepared_by(tmp_path, {"max_session_events": 3})
