import re

import numpy as np
import pytest

from artifacts.manifest import FORMAT_VERSION, Manifest
from artifacts.snapshot import SnapshotContents
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "snapshot-format.md").read_text("utf-8")


def _table(heading: str) -> dict[str, str]:
    """Return the first column of the table below a heading, with the rest of each line."""
    section = PAGE.partition(heading)[2]
    lines = re.search(r"(?:^\|.*\|\n)+", section, flags=re.MULTILINE)
    assert lines is not None
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \|$", lines.group(), flags=re.MULTILINE)
    return dict(rows)


FILES = _table("## Files of a snapshot")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"<\w+>|\\\*", "[^/]+", re.escape(path)))


def test_page_is_about_the_version_that_is_written():
    assert PAGE.startswith(f"# Snapshot format, version {FORMAT_VERSION}\n")


def test_members_of_the_manifest_are_documented():
    assert set(_table("## The manifest")) == set(Manifest.model_fields)
    assert set(_table("`details` of a snapshot")) == set(SnapshotContents.model_fields)


@pytest.mark.parametrize("path", FILES)
def test_documented_files_are_in_a_snapshot(path, ranked_snapshot):
    assert any(_pattern(path).fullmatch(name) for name in ranked_snapshot.manifest.files)


def test_every_file_of_a_snapshot_is_documented(ranked_snapshot):
    patterns = [_pattern(path) for path in FILES]
    unknown = [
        name
        for name in ranked_snapshot.manifest.files
        if not any(pattern.fullmatch(name) for pattern in patterns)
    ]
    assert unknown == []


def test_arrays_have_the_types_that_are_documented(ranked_snapshot):
    for path, content in FILES.items():
        documented = re.search(r"\b(int32|float32)\b", content)
        if not path.endswith(".npy") or documented is None:
            continue
        found = {
            np.load(ranked_snapshot.path / name, mmap_mode="r").dtype.name
            for name in ranked_snapshot.manifest.files
            if _pattern(path).fullmatch(name)
        }
        assert found == {documented.group()}, path
