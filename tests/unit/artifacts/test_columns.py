from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.columns import open_columns, write_columns
from artifacts.errors import ArtifactError

STRINGS = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), max_size=30)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(values=STRINGS)
def test_strings_and_nulls_come_back(values: list[str | None]):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "strings.arrow"
        write_columns(path, {"title": values, "other": values[::-1]})
        columns = open_columns(path)
        assert list(columns["title"]) == values
        assert list(columns["other"]) == values[::-1]


def test_unicode_nulls_and_empty_strings_differ(tmp_path: Path):
    values = ["Crème brûlée", None, "", "牛乳", "🥛", "a" * 10_000]
    write_columns(tmp_path / "s.arrow", {"title": values})
    column = open_columns(tmp_path / "s.arrow")["title"]
    assert [column[row] for row in range(6)] == values


@pytest.mark.parametrize("values", [[], [None], [None, None], ["x"]])
def test_columns_of_any_length_come_back(tmp_path: Path, values: list[str | None]):
    write_columns(tmp_path / "s.arrow", {"title": values})
    assert list(open_columns(tmp_path / "s.arrow")["title"]) == values


@pytest.mark.parametrize("row", [-1, 2, 100])
def test_rows_out_of_range_are_index_errors(tmp_path: Path, row: int):
    write_columns(tmp_path / "s.arrow", {"title": ["a", "b"]})
    column = open_columns(tmp_path / "s.arrow")["title"]
    with pytest.raises(IndexError, match="of a column of 2"):
        column[row]


def test_any_arrow_reader_opens_the_file(tmp_path: Path):
    write_columns(tmp_path / "s.arrow", {"title": ["a", None]})
    with pa.memory_map(str(tmp_path / "s.arrow")) as source:
        assert pa.ipc.open_file(source).read_all().to_pydict() == {"title": ["a", None]}


@pytest.mark.parametrize("content", [b"", b"ARROW1", b"not arrow at all" * 20])
def test_other_files_are_artifact_errors(tmp_path: Path, content: bytes):
    (tmp_path / "s.arrow").write_bytes(content)
    with pytest.raises(ArtifactError, match="not an Arrow file"):
        open_columns(tmp_path / "s.arrow")


def test_missing_file_is_an_artifact_error(tmp_path: Path):
    with pytest.raises(ArtifactError, match=r"s\.arrow"):
        open_columns(tmp_path / "s.arrow")
