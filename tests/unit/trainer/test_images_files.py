import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.errors import ConfigError, DataError
from artifacts.progress import SilentProgress
from artifacts.vocabulary import write_vocabulary
from tests.made_pictures import write_pictures
from trainer.images_config import ImagesConfig
from trainer.picture_files import find_pictures
from trainer.picture_reader import PictureReader
from trainer.picture_refusals import Refusal, RefusedPictures
from trainer.picture_table import PictureRow, read_picture_table

ROWS: list[PictureRow] = [
    ("007", "a.png"),
    ("9007199254740993", "b/c.png"),
    ("007", None),
    (None, "d.png"),
]


def write_table(path: Path, rows: Sequence[PictureRow] = ROWS) -> Path:
    match path.suffixes:
        case [".parquet"]:
            ids, paths = zip(*rows, strict=True)
            pq.write_table(pa.table({"item_id": ids, "path": paths, "more": [1.5] * 4}), path)
        case [".csv"]:
            path.write_text(csv_text(rows))
        case [".csv", ".gz"]:
            path.write_bytes(gzip.compress(csv_text(rows).encode()))
        case _:
            lines = [{"item_id": id, "path": path} for id, path in rows]
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def csv_text(rows: Sequence[PictureRow]) -> str:
    return "path,item_id,more\n" + "".join(f"{path or ''},{id or ''},1\n" for id, path in rows)


def config(table: Path | None = None, **changes: Any) -> ImagesConfig:
    named = None if table is None else str(table)
    return ImagesConfig.model_validate({"table": named, "weights": "random", **changes})


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.csv.gz", "t.jsonl"])
def test_rows_come_as_text_from_every_format(tmp_path, name):
    table = write_table(tmp_path / name)
    assert read_picture_table(config(table), {}) == ROWS


def test_ids_that_are_numbers_lose_no_digit(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"item_id": 9007199254740993, "path": "a.png"}\n')
    assert read_picture_table(config(path), {}) == [("9007199254740993", "a.png")]
    pq.write_table(pa.table({"item_id": [9007199254740993], "path": ["a"]}), tmp_path / "t.parquet")
    read = read_picture_table(config(tmp_path / "t.parquet"), {})
    assert read == [("9007199254740993", "a")]


def test_blanks_are_no_values(tmp_path):
    table = write_table(tmp_path / "t.parquet", [(" 7 ", " "), ("", "a"), ("b", "c d"), ("e", "f")])
    rows = read_picture_table(config(table), {})
    assert rows == [("7", None), (None, "a"), ("b", "c d"), ("e", "f")]


def test_a_glob_reads_its_files_in_order(tmp_path):
    for name in ("2.csv", "1.csv"):
        (tmp_path / name).write_text(f"item_id,path\n{name},x\n")
    rows = read_picture_table(config(tmp_path / "*.csv"), {})
    assert [item for item, _ in rows] == ["1.csv", "2.csv"]


def test_without_a_table_the_item_files_name_the_pictures(tmp_path):
    table = write_table(tmp_path / "items.csv")
    assert read_picture_table(config(), {"items": {"path": [str(table)]}}) == ROWS


@pytest.mark.parametrize(
    ("table", "prepared", "message"),
    [
        (None, {"items": None}, "name a table"),
        ("none.csv", {}, "no file matches"),
        ("t.xlsx", {}, r"ends in '\.xlsx', expected"),
    ],
)
def test_a_table_that_is_not_there_is_a_fault_of_the_settings(tmp_path, table, prepared, message):
    (tmp_path / "t.xlsx").write_bytes(b"x")
    with pytest.raises(ConfigError, match=message):
        read_picture_table(config(table and tmp_path / table), prepared)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    table = write_table(tmp_path / "t.csv")
    with pytest.raises(ConfigError, match=r"no column 'picture'.*path, item_id, more"):
        read_picture_table(config(table, columns={"path": "picture"}), {})


def test_ids_with_fractions_are_refused(tmp_path):
    table = write_table(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="'more': expected text or integers, got double"):
        read_picture_table(config(table, columns={"item_id": "more"}), {})


def test_a_file_of_another_format_is_named(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(DataError, match=r"t\.parquet: cannot be read"):
        read_picture_table(config(path), {})


def find(
    tmp_path: Path, rows: Sequence[PictureRow], **changes: Any
) -> tuple[PictureReader, RefusedPictures]:
    items = write_vocabulary(tmp_path / "items", ["b", "a", "c"])
    refused = RefusedPictures()
    settings = config(folder=str(tmp_path / "pictures"), **changes)
    files = find_pictures(rows, items, settings, refused, progress=SilentProgress())
    return PictureReader(files, settings), refused


def test_pictures_are_found_by_item_and_named_by_content(tmp_path):
    rows = write_pictures(tmp_path / "pictures", {"a": "red", "b": "blue"})
    copy = tmp_path / "pictures" / "copy.png"
    copy.write_bytes((tmp_path / "pictures" / "a-0.png").read_bytes())
    reader, refused = find(tmp_path, [*rows, ("b", "copy.png")])
    files = reader.files
    assert files.rows.tolist() == [0, 0, 0, 1, 1]
    assert files.paths == ["b-0.png", "b-1.png", "copy.png", "a-0.png", "a-1.png"]
    assert files.keys[2] == files.keys[3]
    assert len(set(files.keys)) == 4
    assert len(refused) == 0


def test_every_row_is_taken_or_listed_with_its_reason(tmp_path):
    rows = write_pictures(tmp_path / "pictures", {"a": "red"}, each=1)
    folder = tmp_path / "pictures"
    (folder / "empty.png").write_bytes(b"")
    (folder / "large.png").write_bytes(bytes(50_000))
    (folder / "inside").mkdir()
    (tmp_path / "outside.png").write_bytes(b"x")
    bad = {
        (None, "a-0.png"): Refusal.NO_ITEM,
        ("a", None): Refusal.NO_PATH,
        ("z", "a-0.png"): Refusal.UNKNOWN_ITEM,
        ("a", "a-0.png"): Refusal.REPEATED,
        ("a", "../outside.png"): Refusal.OUTSIDE,
        ("a", str(tmp_path / "outside.png")): Refusal.OUTSIDE,
        ("a", "none.png"): Refusal.MISSING,
        ("a", "a-0.png/x"): Refusal.MISSING,
        ("a", "inside"): Refusal.UNREADABLE,
        ("a", "null\0"): Refusal.UNREADABLE,
        ("a", "empty.png"): Refusal.EMPTY,
        ("a", "large.png"): Refusal.TOO_LARGE,
    }
    reader, refused = find(tmp_path, [*rows, *bad], max_bytes=49_999)
    assert len(reader.files) == 1
    listed = zip(refused.item_ids, refused.paths, strict=True)
    assert dict(zip(listed, refused.reasons, strict=True)) == bad
    assert sum(refused.counts().values()) == len(bad)
    refused.write(tmp_path / "rejected.parquet")
    written = pq.read_table(tmp_path / "rejected.parquet").to_pylist()
    assert [(row["item_id"], row["path"]) for row in written] == list(bad)
    assert [row["reason"] for row in written] == [str(reason) for reason in bad.values()]


def test_an_empty_list_is_written_all_the_same(tmp_path):
    RefusedPictures().write(tmp_path / "rejected.parquet")
    assert pq.read_table(tmp_path / "rejected.parquet").schema.names == [
        "item_id",
        "path",
        "reason",
    ]


def test_batches_leave_out_what_cannot_be_decoded(tmp_path):
    rows = write_pictures(tmp_path / "pictures", {"a": "red", "b": "blue", "c": "green"}, each=1)
    (tmp_path / "pictures" / "b-0.png").write_bytes(b"not a picture")
    reader, _ = find(tmp_path, rows)
    (tmp_path / "pictures" / "c-0.png").write_bytes(b"another one by now")
    refused: dict[str, Refusal] = {}
    batches = list(reader.batches([0, 1, 2], 2, refused))
    assert [kept for kept, _ in batches] == [[1], []]
    assert [len(pictures) for _, pictures in batches] == [1, 0]
    keys = reader.files.keys
    assert refused == {keys[0]: Refusal.NOT_A_PICTURE, keys[2]: Refusal.CHANGED}


def test_all_rows_of_a_refused_content_are_listed(tmp_path):
    rows = write_pictures(tmp_path / "pictures", {"a": "red", "b": "blue"}, each=1)
    for name in ("x.png", "y.png"):
        (tmp_path / "pictures" / name).write_bytes(b"not a picture")
    reader, refused = find(tmp_path, [*rows, ("a", "x.png"), ("c", "y.png")])
    undecodable = {reader.files.keys[-1]: Refusal.NOT_A_PICTURE}
    left = reader.files.without(undecodable, refused)
    assert left.paths == ["b-0.png", "a-0.png"]
    assert left.rows.tolist() == [0, 1]
    assert refused.paths == ["x.png", "y.png"]


def test_reading_does_not_depend_on_the_working_folder(tmp_path, monkeypatch):
    rows = write_pictures(tmp_path / "pictures", {"a": "red"}, each=1)
    reader, _ = find(tmp_path, rows)
    monkeypatch.chdir(os.sep)
    assert not isinstance(reader.read(0), Refusal)
