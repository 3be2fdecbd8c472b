"""What is refused, why, and where it is kept."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from trainer.config import PrepareConfig
from trainer.prepare import prepare

GOOD = [f"s{n // 2},i{n % 2},{n},view,2026-01-01 10:00:0{n},1,9.5" for n in range(4)]
HEADER = "session_id,item_id,position,event,timestamp,quantity,price"
COLUMNS = {name: name for name in HEADER.split(",")}


def prepare_csv(folder: Path, *lines: str, **events: object) -> Prepared:
    path = folder / "events.csv"
    path.write_text("\n".join([HEADER, *GOOD, *lines]) + "\n", "utf-8")
    config = PrepareConfig.model_validate(
        {
            "events": {"path": str(path), "columns": COLUMNS, **events},
            "split": {"kind": "none"},
            "threads": 1,
        }
    )
    return prepare(config, VersionedRoot(folder / "prepared"), progress=SilentProgress())


def rejected(prepared: Prepared) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = pq.read_table(
        prepared.path / "rejected" / "events.parquet"
    ).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",i1,1,view,2026-01-01,1,1", "missing session_id"),
        ("  ,i1,1,view,2026-01-01,1,1", "missing session_id"),
        ("s1,,1,view,2026-01-01,1,1", "missing item_id"),
        ("s1,i1,,view,2026-01-01,1,1", "missing position"),
        ("s1,i1,first,view,2026-01-01,1,1", "unreadable position"),
        ("s1,i1,1,view,2026-13-45,1,1", "unreadable timestamp"),
        ("s1,i1,1,view,2026-01-01,some,1", "unreadable quantity"),
        ("s1,i1,1,view,2026-01-01,1,$9", "unreadable price"),
        ("s1,i1,1,view,2026-01-01,1,inf", "unreadable price"),
        ("s1,i1,1,glance,2026-01-01,1,1", "unknown event kind"),
        ("s1,i1,1,,2026-01-01,1,1", "unknown event kind"),
    ],
)
def test_malformed_row_is_kept_aside_with_its_reason(tmp_path, line, reason):
    prepared = prepare_csv(tmp_path, line)
    (row,) = rejected(prepared)
    assert row["reason"] == reason
    expected = [value or None for value in line.split(",")]
    assert [row[name] for name in COLUMNS] == expected


@pytest.mark.parametrize(
    "line", ["s1,i1", "s1,i1,1,view,2026-01-01,1,1,1,1,1"], ids=["short", "long"]
)
def test_line_that_does_not_fit_the_header_is_kept_as_it_stands(tmp_path, line):
    prepared = prepare_csv(tmp_path, line)
    (row,) = rejected(prepared)
    assert (row["reason"], row["source_line"]) == ("line does not fit the header", line)
    assert row["item_id"] is None


def test_optional_fields_may_be_empty_and_kinds_in_any_case(tmp_path):
    prepared = prepare_csv(tmp_path, "s1,i0,7, View ,,,", "s1,i1,8,PURCHASE,,,nan")
    assert rejected(prepared) == []


def test_kinds_are_a_setting(tmp_path):
    prepared = prepare_csv(tmp_path, "s1,i1,7,glance,,,", kinds=["view", "glance"])
    assert rejected(prepared) == []


def test_clean_input_leaves_an_empty_file_of_rejects(tmp_path):
    table = pq.read_table(prepare_csv(tmp_path).path / "rejected" / "events.parquet")
    assert table.num_rows == 0
    assert {*COLUMNS, "reason", "source_line"} == set(table.column_names)


def test_all_rejected_is_an_error_that_counts_the_reasons(tmp_path):
    with pytest.raises(DataError, match=r"4 rows read.*'unknown event kind': 4"):
        prepare_csv(tmp_path, kinds=["purchase"])


def test_times_with_an_offset_become_utc(tmp_path):
    prepared = prepare_csv(
        tmp_path, *(f"s9,i{n},{n},view,2026-01-01T00:30:00+02:00,1,1" for n in (0, 1))
    )
    starts = pq.read_table(prepared.train_sessions).to_pylist()
    assert [str(row["started_at"]) for row in starts if row["session_id"] == "s9"] == [
        "2025-12-31 22:30:00"
    ]


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        (
            "item_id",
            pa.array([1.0, 2.0]),
            "'item_id': expected ids as text or integers, got float64",
        ),
        (
            "timestamp",
            pa.array([1, 2]),
            "'timestamp': expected timestamps or ISO 8601 text, got int64",
        ),
    ],
    ids=["ids", "times"],
)
def test_types_that_lose_meaning_are_refused(tmp_path, name, values, words):
    columns = {"session_id": ["s", "s"], "item_id": ["a", "b"], "timestamp": ["2026-01-01"] * 2}
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({**columns, name: values}), path)
    config = PrepareConfig.model_validate(
        {"events": {"path": str(path), "columns": {"timestamp": "timestamp"}}}
    )
    with pytest.raises(DataError, match=words):
        prepare(config, VersionedRoot(tmp_path / "prepared"), progress=SilentProgress())


def test_integer_ids_become_their_digits(tmp_path):
    big = 2**62 + 1
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({"session_id": [1, 1], "item_id": [big, 7]}), path)
    config = PrepareConfig.model_validate(
        {"events": {"path": str(path)}, "sessions": {"order": "none"}, "split": {"kind": "none"}}
    )
    prepared = prepare(config, VersionedRoot(tmp_path / "prepared"), progress=SilentProgress())
    assert prepared.items.row(str(big)) >= 0
    assert prepared.items.row("7") >= 0
