import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.errors import DataError
from cli.id_list import read_ids


def test_text_holds_one_id_a_line(tmp_path):
    path = tmp_path / "users.txt"
    path.write_bytes("\ufeff007\r\n\n  anna \nzoë\u2028x\n".encode())
    assert read_ids(path, "user_id") == ["007", "anna", "zoë\u2028x"]


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        (pa.array(["007", None, "a\nb"]), ["007", "a\nb"]),
        (pa.array([9007199254740993, 2], type=pa.int64()), ["9007199254740993", "2"]),
    ],
    ids=["text", "numbers"],
)
def test_parquet_holds_a_column(tmp_path, values, ids):
    pq.write_table(pa.table({"other": values, "user_id": values}), tmp_path / "u.parquet")
    assert read_ids(tmp_path / "u.parquet", "user_id") == ids


def test_fractions_are_no_ids(tmp_path):
    pq.write_table(pa.table({"user_id": pa.array([1.0])}), tmp_path / "u.parquet")
    with pytest.raises(DataError, match="expected user_id as text or whole numbers, got double"):
        read_ids(tmp_path / "u.parquet", "user_id")


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    pq.write_table(pa.table({"id": pa.array(["a"])}), tmp_path / "u.parquet")
    with pytest.raises(DataError, match=r"expected a column 'user_id', got \['id'\]"):
        read_ids(tmp_path / "u.parquet", "user_id")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("u.txt", b"\n\n", "at least one user_id, got none"),
        ("u.txt", b"\xff\xfe\x00", "cannot be read"),
        ("u.parquet", b"no parquet", "cannot be read"),
    ],
    ids=["empty", "not UTF-8", "not Parquet"],
)
def test_files_that_hold_no_ids_are_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_ids(tmp_path / name, "user_id")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_ids(tmp_path / "nothing.txt", "user_id")
