"""The Ibis pipeline against a plain-Python twin of the same rules."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis.config import Config

from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from tests.made_sessions import START, config_for, read_sessions, write_rows
from trainer.config import PrepareConfig
from trainer.events import check_events
from trainer.prepare import prepare
from trainer.seeded_hash import seeded_hash_of, threshold
from trainer.sessions import sessions_of, time_of_cut, without_rare

Events = list[dict[str, str]]


def made_events(seed: int = 0) -> Events:
    """Sessions of 1 to 9 events, with repeats, equal times and rows in no order."""
    rng = np.random.default_rng(seed)
    events = []
    for session in range(150):
        begin = START + timedelta(minutes=int(rng.integers(1_000)))
        for place in range(int(rng.integers(1, 10))):
            event = {
                "session_id": f"s{session}",
                "user_id": f"u{rng.integers(40)}",
                "item_id": f"i{rng.integers(12):02d}",
                "position": str(place),
                "timestamp": (begin + timedelta(seconds=place // 3)).isoformat(" "),
            }
            events.append(event)
    return [events[place] for place in rng.permutation(len(events))]


def twin(
    events: Events, config: PrepareConfig
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return (training, held-out) sessions by the rules, one after another."""
    visits: dict[str, Events] = defaultdict(list)
    for event in events:
        visits[event["session_id"]].append(event)
    start = {id: min(e["timestamp"] for e in visit) for id, visit in visits.items()}
    held = {id for id in visits if _is_heldout(id, start, config)}
    support: Counter[str] = Counter()
    for id, visit in visits.items():
        if id not in held:
            support.update({event["item_id"] for event in visit})
    parts: tuple[dict[str, list[str]], dict[str, list[str]]] = ({}, {})
    for id, visit in visits.items():
        least = config.sessions.min_item_sessions
        known = [e for e in visit if id in held or support[e["item_id"]] >= least]
        items = _in_order(known, config)
        if config.sessions.min_length <= len(items) <= config.sessions.max_length:
            parts[id in held][id] = items
    return parts


def _is_heldout(id: str, start: dict[str, str], config: PrepareConfig) -> bool:
    split = config.split
    if split.kind == "random":
        return seeded_hash_of(split.seed, id) < threshold(split.fraction)
    if split.kind == "time":
        if split.cut is not None:
            return datetime.fromisoformat(start[id]) >= split.cut
        assert split.fraction is not None
        return start[id] >= sorted(start.values())[int(len(start) * (1 - split.fraction))]
    return False


def _in_order(visit: Events, config: PrepareConfig) -> list[str]:
    def draw(event: dict[str, str]) -> str:
        return seeded_hash_of(config.sessions.shuffle_seed, event["session_id"], event["item_id"])

    match config.order:
        case "none":
            return list(dict.fromkeys(e["item_id"] for e in sorted(visit, key=draw)))
        case "position":
            ordered = sorted(visit, key=lambda e: (int(e["position"]), e["item_id"]))
        case "timestamp":
            ordered = sorted(visit, key=lambda e: (e["timestamp"], int(e["position"]), draw(e)))
    items = [event["item_id"] for event in ordered]
    if not config.sessions.drop_repeats:
        return items
    return [item for place, item in enumerate(items) if place == 0 or items[place - 1] != item]


NONE = {"kind": "none"}
RANDOM = {"kind": "random", "fraction": 0.3, "seed": 4}
SHARE = {"kind": "time", "fraction": 0.2}
CUT = {"kind": "time", "cut": "2026-01-01 08:00:00"}


@pytest.mark.parametrize(
    ("sessions", "split"),
    [
        ({}, NONE),
        ({}, RANDOM),
        ({}, SHARE),
        ({}, CUT),
        ({"order": "timestamp"}, RANDOM),
        ({"order": "none", "shuffle_seed": 5}, RANDOM),
        ({"order": "none"}, SHARE),
        ({"drop_repeats": False}, RANDOM),
        ({"min_length": 3, "max_length": 5}, RANDOM),
        ({"min_item_sessions": 42}, RANDOM),
        ({"min_item_sessions": 42}, SHARE),
    ],
)
def test_sessions_are_those_of_the_rules(tmp_path, sessions, split):
    events = made_events()
    path = write_rows(tmp_path / "events.parquet", events)
    config = config_for(path, split=split, sessions=sessions)
    prepared = prepare(config, VersionedRoot(tmp_path / "root"), progress=SilentProgress())
    expected = twin(events, config)
    assert read_sessions(prepared.train_sessions, prepared) == expected[0]
    assert read_sessions(prepared.heldout_sessions, prepared) == expected[1]
    assert all(expected[: 1 if split["kind"] == "none" else 2])


def test_column_split_holds_out_every_session_with_a_marked_event(tmp_path):
    marks = {"a": ["train"] * 2, "b": ["test"] * 2, "c": ["train", "test"], "d": ["", ""]}
    rows = [
        {"session_id": id, "item_id": f"i{place}", "position": str(place), "part": mark}
        for id, parts in marks.items()
        for place, mark in enumerate(parts)
    ]
    events = {
        "path": str(write_rows(tmp_path / "e.csv", rows)),
        "columns": {"position": "position"},
    }
    config = PrepareConfig.model_validate(
        {"events": events, "split": {"kind": "column", "column": "part"}}
    )
    prepared = prepare(config, VersionedRoot(tmp_path / "root"), progress=SilentProgress())
    assert read_sessions(prepared.train_sessions, prepared).keys() == {"a", "d"}
    assert read_sessions(prepared.heldout_sessions, prepared).keys() == {"b", "c"}


def test_shared_session_goes_to_the_first_user_and_is_counted(tmp_path):
    rows = [
        {"session_id": "s", "user_id": user, "item_id": item, "position": item}
        for user, item in [("u2", "1"), ("u1", "2")]
    ]
    events = {
        "path": str(write_rows(tmp_path / "e.csv", rows)),
        "columns": {"position": "position", "user_id": "user_id"},
    }
    config = PrepareConfig.model_validate({"events": events, "split": {"kind": "none"}})
    prepared = prepare(config, VersionedRoot(tmp_path / "root"), progress=SilentProgress())
    assert pq.read_table(prepared.train_sessions).column("user_id").to_pylist() == ["u1"]
    assert "several users: 1." in (prepared.path / "report.md").read_text()


def test_shuffled_baskets_do_not_follow_the_ids(tmp_path):
    baskets = [[f"{number}" for number in range(100, 140)] for _ in range(20)]
    rows = [
        {"session_id": f"b{basket}", "item_id": item}
        for basket, items in enumerate(baskets)
        for item in items
    ]
    events = {"path": str(write_rows(tmp_path / "e.csv", rows))}
    config = PrepareConfig.model_validate(
        {"events": events, "sessions": {"order": "none"}, "split": {"kind": "none"}}
    )
    prepared = prepare(config, VersionedRoot(tmp_path / "root"), progress=SilentProgress())
    lists = pq.read_table(prepared.train_sessions).column("items").to_pylist()
    rising = np.mean([np.diff(items) > 0 for items in lists])
    assert rising == pytest.approx(0.5, abs=0.1)
    assert len({tuple(items) for items in lists}) == len(lists)


class SparkOptions(Config):  # type: ignore[misc]  # Ibis ships no types
    treat_nan_as_null: bool = False


@pytest.mark.parametrize("order", ["position", "timestamp", "none"])
def test_expressions_compile_for_spark_too(order, monkeypatch):
    # What importing the backend would register; the compiler alone needs no Spark.
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())
    schema = {
        "session_id": "string",
        "item_id": "string",
        "user_id": "string",
        "position": "string",
        "timestamp": "string",
    }
    config = config_for(
        "e.csv",  # type: ignore[arg-type]  # never opened
        sessions={"order": order, "min_item_sessions": 2},
        split={"kind": "time", "fraction": 0.1},
    )
    checked = check_events(ibis.table(schema, name="events"), config)
    vocabulary = ibis.table({"item_id": "string", "row": "int32"}, name="vocabulary")
    lines = without_rare(checked.lines, config, START)
    for expression in (
        checked.raw,
        time_of_cut(checked.lines, 0.1),
        sessions_of(lines, vocabulary, config, START),
    ):
        assert "SELECT" in ibis.to_sql(expression, dialect="pyspark")


def test_session_files_hold_the_columns_of_the_contract(tmp_path):
    path = write_rows(tmp_path / "events.parquet", made_events())
    root = VersionedRoot(tmp_path / "root")
    prepared = prepare(config_for(path), root, progress=SilentProgress())
    for part in (prepared.train_sessions, prepared.heldout_sessions):
        schema = pq.read_schema(part)
        assert schema.names == ["session_id", "user_id", "started_at", "items"]
        assert schema.field("items").type.value_type == pa.int32()
        assert pa.types.is_timestamp(schema.field("started_at").type)
