import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from artifacts.errors import ConfigError, DataError
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from tests.made_sessions import (
    COLUMNS,
    config_for,
    prepare_sessions,
    read_sessions,
    rows_of,
    themed_sessions,
    write_rows,
)
from trainer.prepare import prepare

SESSIONS = themed_sessions(60, seed=3)
KEEP_ALL = {"split": {"kind": "none"}, "sessions": {"drop_repeats": False}}


def run(config, folder: Path):
    return prepare(config, VersionedRoot(folder / "prepared"), progress=SilentProgress())


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_sessions_survive_in_order_from_every_format(tmp_path, suffix):
    rows = rows_of(SESSIONS)
    rows = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]
    events = write_rows(tmp_path / f"events{suffix}", rows)
    prepared = run(config_for(events, **KEEP_ALL), tmp_path)
    expected = {f"s{number:05d}": session for number, session in enumerate(SESSIONS)}
    assert read_sessions(prepared.train_sessions, prepared) == expected


def test_events_may_lie_in_several_files(tmp_path):
    rows = rows_of(SESSIONS)
    write_rows(tmp_path / "e1.csv", rows[:100])
    write_rows(tmp_path / "e2.csv", rows[100:])
    prepared = run(config_for(tmp_path / "e*.csv", **KEEP_ALL), tmp_path)
    assert len(read_sessions(prepared.train_sessions, prepared)) == len(SESSIONS)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_ids_are_text_from_the_first_byte(tmp_path, suffix):
    ids = ["0007", "7", "12345678901234567890", "1e3", "NaN"]
    events = write_rows(tmp_path / f"events{suffix}", rows_of([ids]))
    prepared = run(config_for(events, **KEEP_ALL), tmp_path)
    assert read_sessions(prepared.train_sessions, prepared) == {"s00000": ids}


def test_vocabulary_is_catalogue_and_events_sorted_by_id(tmp_path):
    items = write_rows(tmp_path / "items.csv", [{"item_id": "zz"}, {"item_id": "b"}])
    prepared = prepare_sessions(tmp_path, [["b", "a"]], items={"path": str(items)}, **KEEP_ALL)
    assert [prepared.items.id(row) for row in range(len(prepared.items))] == ["a", "b", "zz"]


def test_popularity_counts_training_sessions_that_hold_the_item(tmp_path):
    prepared = prepare_sessions(tmp_path, SESSIONS, split={"kind": "random", "fraction": 0.3})
    train = read_sessions(prepared.train_sessions, prepared)
    expected = Counter(item for session in train.values() for item in set(session))
    popularity = {
        prepared.items.id(row): count for row, count in enumerate(prepared.catalog.popularity)
    }
    assert {item: count for item, count in popularity.items() if count} == expected
    assert 0 < len(train) < len(SESSIONS)


def test_catalogue_is_cleaned(tmp_path):
    rows = [
        {"item_id": "a", "title": " Apple ", "path": "Food >  Fruit", "brand": "", "price": "1.5"},
        {"item_id": "b", "title": "", "path": "", "brand": "B", "price": ""},
        {"item_id": "c", "title": "Cup", "path": "Home", "brand": "C", "price": "nan"},
    ]
    names = {"title": "title", "category_path": "path", "brand": "brand", "price": "price"}
    items = {
        "path": str(write_rows(tmp_path / "items.csv", rows)),
        "columns": names,
        "path_separator": ">",
    }
    prepared = prepare_sessions(tmp_path, [["a", "b"]], items=items, **KEEP_ALL)
    apple, blank, cup = (prepared.catalog.attributes(row) for row in range(3))
    assert (apple.title, apple.category_path, apple.top_category) == (
        "Apple",
        "Food > Fruit",
        "Food",
    )
    assert (apple.brand, apple.price) == (None, 1.5)
    assert (blank.title, blank.category_path, blank.price) == (None, None, None)
    assert blank.top_category == "(uncategorised)"
    assert (cup.top_category, cup.price) == ("Home", None)


def test_top_category_may_be_a_column_of_its_own(tmp_path):
    rows = [
        {"item_id": "a", "path": "Food > Fruit", "top": "Fresh"},
        {"item_id": "b", "path": "Food > Fruit", "top": ""},
    ]
    items = {
        "path": str(write_rows(tmp_path / "items.csv", rows)),
        "columns": {"category_path": "path", "top_category": "top"},
    }
    prepared = prepare_sessions(tmp_path, [["a", "b"]], items=items, **KEEP_ALL)
    assert [prepared.catalog.category(row) for row in range(2)] == ["Fresh", "Food"]


def test_of_two_items_with_one_id_the_first_in_the_file_stays(tmp_path):
    rows = [{"item_id": id, "title": title} for id, title in [("a", "1"), ("b", "2"), ("a", "3")]]
    items = {
        "path": str(write_rows(tmp_path / "items.csv", rows)),
        "columns": {"title": "title"},
    }
    prepared = prepare_sessions(tmp_path, [["a", "b"]], items=items, **KEEP_ALL)
    assert prepared.catalog.titles[0] == "1"
    rejected = pq.read_table(prepared.path / "rejected" / "items.parquet").to_pylist()
    assert [(row["title"], row["reason"]) for row in rejected] == [("3", "item_id seen before")]


def test_report_says_what_came_in_and_went_out(tmp_path):
    rows = [*rows_of([["a", "b", "c"], ["a"], ["a", "b"]])]
    rows[0]["item_id"] = ""
    prepared = run(config_for(write_rows(tmp_path / "e.csv", rows), **KEEP_ALL), tmp_path)
    report = json.loads((prepared.path / "report.json").read_text())
    assert report["events"] == {"read": 6, "taken": 5, "rejected": {"missing item_id": 1}}
    assert report["train"]["kept"] == 2
    assert report["train"]["dropped"] == {"too short": 1}
    assert report["items"]["without_category"] == report["items"]["all"] == 3
    text = (prepared.path / "report.md").read_text()
    assert "| rejected: missing item_id | 1 |" in text
    assert "| dropped: too short | 1 |" in text


def test_unchanged_run_keeps_its_version_and_a_changed_file_makes_another(tmp_path):
    first = prepare_sessions(tmp_path, SESSIONS)
    written = (first.path / "manifest.json").stat().st_mtime_ns
    again = prepare_sessions(tmp_path, SESSIONS)
    assert again.path == first.path
    assert (again.path / "manifest.json").stat().st_mtime_ns == written
    other = prepare_sessions(tmp_path, SESSIONS[1:])
    assert other.path != first.path
    root = VersionedRoot(tmp_path / "prepared")
    assert root.current_id() == other.manifest.id
    prepare_sessions(tmp_path, SESSIONS)
    assert root.current_id() == first.manifest.id


def test_memory_and_threads_do_not_name_a_version(tmp_path):
    first = prepare_sessions(tmp_path, SESSIONS)
    assert prepare_sessions(tmp_path, SESSIONS, memory_limit="2GB").path == first.path
    assert prepare_sessions(tmp_path, SESSIONS, sessions={"min_length": 3}).path != first.path


def test_result_is_the_same_bytes_with_any_number_of_threads(tmp_path):
    one = prepare_sessions(tmp_path / "1", SESSIONS, sessions={"order": "none"}, threads=1)
    two = prepare_sessions(tmp_path / "2", SESSIONS, sessions={"order": "none"}, threads=2)
    names = [name for name in one.manifest.files if name != "rejected/events.parquet"]
    assert [one.manifest.files[name] for name in names] == [
        two.manifest.files[name] for name in names
    ]


def test_wrong_column_is_named_with_those_that_are_there(tmp_path):
    events = write_rows(tmp_path / "e.csv", rows_of(SESSIONS))
    config = config_for(events, events={"path": str(events), "columns": {"position": "pos"}})
    with pytest.raises(
        ConfigError, match=r"events\.columns\.position: no column 'pos'.*user_id, session_id"
    ):
        run(config, tmp_path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"prepare\.events\.path: no file matches .*nowhere"):
        run(config_for(tmp_path / "nowhere.csv"), tmp_path)


@pytest.mark.parametrize("sessions", [[], [["a", "a"], ["a"]]], ids=["no event", "one item"])
def test_nothing_to_learn_from_is_an_error_and_leaves_nothing(tmp_path, sessions):
    rows = rows_of(sessions)
    events = tmp_path / "e.csv"
    events.write_text("user_id,session_id,position,item_id,timestamp\n")
    if rows:
        write_rows(events, rows)
    with pytest.raises(DataError, match=r"no event to learn from|at least two different items"):
        run(config_for(events), tmp_path)
    assert list((tmp_path / "prepared").iterdir()) == []


def test_empty_file_is_an_error(tmp_path):
    (tmp_path / "e.csv").touch()
    with pytest.raises((DataError, ConfigError)):
        run(config_for(tmp_path / "e.csv"), tmp_path)


def test_file_of_another_format_is_an_error(tmp_path):
    (tmp_path / "e.parquet").write_text("session_id,item_id\n1,2\n")
    with pytest.raises(DataError, match="cannot be read as parquet"):
        run(config_for(tmp_path / "e.parquet"), tmp_path)


def test_only_short_sessions_are_an_error_that_says_so(tmp_path):
    with pytest.raises(DataError, match=r"no training session is left.*'too short': 2"):
        prepare_sessions(tmp_path, [["a"], ["b"]], split={"kind": "none"})


def test_unmapped_columns_are_not_read(tmp_path):
    rows = [{**row, "price": "gibberish"} for row in rows_of(SESSIONS)]
    prepared = run(config_for(write_rows(tmp_path / "e.csv", rows), **KEEP_ALL), tmp_path)
    assert prepared.manifest.details["train_sessions"] == len(SESSIONS)
    assert "price" not in COLUMNS
