"""Snapshots of every format version that was ever released."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from artifacts.catalog import UNCATEGORISED
from artifacts.errors import ArtifactError
from artifacts.manifest import FORMAT_VERSION, MANIFEST_NAME
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from indexer.open import open_indices
from tests.golden.make_snapshot import BACKENDS, answers

GOLDEN = Path(__file__).parent
READABLE = GOLDEN / f"format-{FORMAT_VERSION}"
OLDER = [
    folder for folder in sorted(GOLDEN.glob("format-*")) if folder.is_dir() and folder != READABLE
]


def test_snapshot_of_the_present_format_answers_as_recorded():
    recorded = json.loads(READABLE.with_suffix(".json").read_text("utf-8"))
    found = answers(Snapshot.open(READABLE))
    assert len(found) == len(recorded) == 2 * len(BACKENDS)
    for now, then in zip(found, recorded, strict=True):
        where = (then["space"], then["relation"])
        assert (now["space"], now["relation"]) == where
        for key in ("live_ids", "stored_ids"):
            assert now[key] == then[key], where
        for key in ("live_scores", "stored_scores"):
            np.testing.assert_allclose(now[key], then[key], rtol=1e-5, err_msg=str(where))


def test_catalogue_and_popularity_of_the_present_format_are_read():
    snapshot = Snapshot.open(READABLE)
    item = snapshot.catalog.attributes(snapshot.items.row("item-0005"))
    assert (item.title, item.top_category, item.brand, item.popularity) == (
        "Title 5",
        "牛乳",
        "Brand",
        43,
    )
    assert UNCATEGORISED in snapshot.catalog.categories
    assert snapshot.popularity.overall()[:3].tolist() == [0, 1, 2]
    assert snapshot.contents.quality == {"mrr": 0.25}


def test_every_backend_of_the_present_format_is_opened():
    kinds = {entry.space: entry.kind for entry in Snapshot.open(READABLE).contents.indices}
    assert kinds == {kind: kind for kind in BACKENDS}
    indices = open_indices(Snapshot.open(READABLE))
    assert len(indices.of("exact", Relation.ALTERNATIVES).categories) == 3


@pytest.mark.parametrize("version", [FORMAT_VERSION - 1, FORMAT_VERSION + 1])
def test_other_format_versions_are_refused_by_name(tmp_path: Path, version: int):
    copy = tmp_path / "snapshot"
    shutil.copytree(READABLE, copy)
    path = copy / MANIFEST_NAME
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"format_version": version}))
    with pytest.raises(ArtifactError, match=f"version {version} .* reads version {FORMAT_VERSION}"):
        Snapshot.open(copy)


def test_older_snapshots_are_refused_by_the_name_of_their_format():
    for folder in OLDER:
        with pytest.raises(ArtifactError, match=f"version {folder.name.removeprefix('format-')}"):
            Snapshot.open(folder)


@pytest.mark.parametrize("damage", ["bit", "tail", "gone"])
def test_damage_to_any_file_is_found_before_it_is_parsed(tmp_path: Path, damage: str):
    copy = tmp_path / "snapshot"
    shutil.copytree(READABLE, copy)
    files = [path for path in copy.rglob("*") if path.is_file() and path.name != MANIFEST_NAME]
    for path in files:
        whole = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(whole[:-1] if damage == "tail" else flipped(whole))
        with pytest.raises(ArtifactError, match=path.name):
            Snapshot.open(copy)
        path.write_bytes(whole)
    Snapshot.open(copy)


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 16]) + data[middle + 1 :]
