import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.errors import ArtifactError
from artifacts.manifest import (
    FORMAT_VERSION,
    MANIFEST_NAME,
    Manifest,
    fingerprint,
    read_manifest,
    seal,
    verify,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "inner" / "b.bin").write_bytes(b"b" * 99)
    (tmp_path / "empty").write_bytes(b"")
    seal_again(tmp_path)
    return tmp_path


def seal_again(folder: Path) -> Manifest:
    return seal(
        folder,
        kind="snapshot",
        id="one",
        config={"seed": 1},
        inputs={"prepared": "p"},
        versions={"numpy": "2"},
        now=datetime(2026, 1, 2, tzinfo=UTC),
    )


def check(folder: Path) -> None:
    verify(folder, read_manifest(folder, "snapshot"))


def test_sealed_folder_is_read_back_and_verified(folder: Path):
    manifest = read_manifest(folder, "snapshot")
    check(folder)
    assert set(manifest.files) == {"a.bin", "inner/b.bin", "empty"}
    assert manifest.format_version == FORMAT_VERSION
    assert (manifest.id, manifest.config, manifest.inputs) == (
        "one",
        {"seed": 1},
        {"prepared": "p"},
    )
    assert manifest.created_at == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("bit", [0, 1000 * 8 + 3, 256 * 20 * 8 - 1])
def test_every_flipped_bit_is_found(folder: Path, bit: int):
    data = bytearray((folder / "a.bin").read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    (folder / "a.bin").write_bytes(data)
    with pytest.raises(ArtifactError, match=r"a\.bin: content differs"):
        check(folder)


@pytest.mark.parametrize("size", [0, 98, 100])
def test_other_sizes_are_found_and_named(folder: Path, size: int):
    (folder / "inner" / "b.bin").write_bytes(b"b" * size)
    with pytest.raises(ArtifactError, match=f"b.bin: expected 99 bytes, found {size}"):
        check(folder)


def test_missing_file_is_named(folder: Path):
    (folder / "empty").unlink()
    with pytest.raises(ArtifactError, match="empty: is in the manifest but not on disk"):
        check(folder)


def test_extra_file_is_named(folder: Path):
    (folder / "inner" / "stray").write_text("x")
    with pytest.raises(ArtifactError, match="not sealed in: inner/stray"):
        check(folder)


def test_artifact_of_another_kind_is_refused(folder: Path):
    with pytest.raises(ArtifactError, match="expected a prepared, found a snapshot"):
        read_manifest(folder, "prepared")


@pytest.mark.parametrize("found", [0, FORMAT_VERSION + 1, None, "1"])
def test_other_format_versions_are_refused_with_both_named(folder: Path, found: object):
    path = folder / MANIFEST_NAME
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"format_version": found}))
    with pytest.raises(
        ArtifactError, match=f"version {found} is not supported.* reads version {FORMAT_VERSION}"
    ):
        read_manifest(folder, "snapshot")


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format_version": 1}'])
def test_other_json_is_an_artifact_error(folder: Path, content: str):
    (folder / MANIFEST_NAME).write_text(content)
    with pytest.raises(ArtifactError, match=MANIFEST_NAME):
        read_manifest(folder, "snapshot")


def test_unsealed_and_missing_folders_are_refused(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ArtifactError, match="expected a sealed snapshot"):
            read_manifest(folder, "snapshot")


@settings(derandomize=True, deadline=None)
@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_fingerprint_ignores_the_order_of_keys(value: dict[str, object]):
    assert fingerprint(value) == fingerprint(dict(reversed(value.items())))
    assert len(fingerprint(value)) == 16


def test_fingerprint_tells_values_apart():
    values = [{}, {"a": 1}, {"a": "1"}, {"a": [1]}, {"b": 1}, [1], None]
    assert len({fingerprint(value) for value in values}) == len(values)
