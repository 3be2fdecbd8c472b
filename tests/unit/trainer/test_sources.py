from pathlib import Path

import pytest

from artifacts.errors import ConfigError
from trainer.config import EventsConfig
from trainer.sources import Source


def source(*paths: Path | str, format: str = "auto") -> Source:
    config = EventsConfig.model_validate({"path": [str(path) for path in paths], "format": format})
    return Source.of("events", config)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", "c.csv.gz", "d.parquet", "e.jsonl", "f.ndjson", "g.txt"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.csv", "csv"),
        ("c.csv.gz", "csv"),
        ("d.parquet", "parquet"),
        ("e.jsonl", "jsonl"),
        ("f.ndjson", "jsonl"),
    ],
)
def test_format_goes_by_the_suffix(files, name, format):
    assert source(files / name).format == format


def test_globs_are_sorted_and_follow_the_order_of_the_settings(files):
    found = source(files / "c.csv.gz", files / "[ab].csv").files
    assert [file.name for file in found] == ["c.csv.gz", "a.csv", "b.csv"]


def test_format_may_be_said(files):
    assert source(files / "g.txt", format="csv").format == "csv"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["nowhere.csv"], "no file matches .*nowhere.csv"),
        (["*.orc"], r"no file matches .*\*\.orc"),
        (["a.csv", "d.parquet"], "several formats"),
        (["g.txt"], "cannot be told from 'g.txt'"),
    ],
    ids=["missing", "empty glob", "mixture", "unknown suffix"],
)
def test_files_that_cannot_be_read_are_refused(files, names, words):
    with pytest.raises(ConfigError, match=words):
        source(*(files / name for name in names))


def test_a_folder_is_not_a_file(files):
    with pytest.raises(ConfigError, match="no file matches"):
        source(files)


def test_fingerprints_follow_the_content(files):
    before = source(files / "a.csv").fingerprints()
    (files / "a.csv").write_bytes(b"other")
    after = source(files / "a.csv").fingerprints()
    assert before.keys() == after.keys() == {"events/0/a.csv"}
    assert before != after
