"""What training made beside spaces of items, in a snapshot: tables and shoppers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from artifacts.covisitation import COVISITATION, CovisitationTable
from artifacts.errors import ArtifactError
from artifacts.manifest import MANIFEST_NAME
from artifacts.progress import SilentProgress
from artifacts.recent_sessions import RECENT_SESSIONS, RecentSessions
from artifacts.snapshot import Snapshot
from artifacts.user_space_layout import USER_SPACE
from artifacts.versions import VersionedRoot
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import IndexConfig, SpaceIndexConfig
from retrieval.user_space import UserSpace
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared, write_table
from tests.shop_shoppers import SHOPPERS, write_shoppers, write_tables

ITEMS, DIM = 150, 6
PREPARED = "shop"


@pytest.fixture
def inputs(tmp_path: Path) -> SnapshotInputs:
    prepared = write_prepared(tmp_path / "prepared", ITEMS, id=PREPARED)
    cf = write_embedding(tmp_path / "cf", range(ITEMS), clustered(ITEMS, DIM), prepared=PREPARED)
    user = write_shoppers(tmp_path / "user", ITEMS, DIM)
    tables = write_tables(tmp_path / "tables", ITEMS)
    return SnapshotInputs(prepared, {"cf": cf, USER_SPACE: user}, tables=tables)


@pytest.fixture
def root(tmp_path: Path) -> VersionedRoot:
    return VersionedRoot(tmp_path / "snapshots")


def build(
    inputs: SnapshotInputs, root: VersionedRoot, spaces: tuple[str, ...] = ("cf", USER_SPACE)
) -> Snapshot:
    chosen = tuple(SpaceIndexConfig(space=space, neighbors=0) for space in spaces)
    config = IndexConfig(spaces=chosen, threads=1)
    return build_snapshot(inputs, config, root, progress=SilentProgress(), now=MADE_AT)


def test_tables_of_a_snapshot_are_those_that_were_made(inputs: SnapshotInputs, root: VersionedRoot):
    snapshot = Snapshot.open(build(inputs, root).path)
    made = CovisitationTable.open(inputs.tables[COVISITATION])
    assert snapshot.covisitation is not None
    assert len(snapshot.covisitation) == ITEMS
    for row in range(ITEMS):
        for found, expected in zip(
            snapshot.covisitation.lookup(row), made.lookup(row), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
    sessions = RecentSessions.open(inputs.tables[RECENT_SESSIONS])
    assert snapshot.recent_sessions is not None
    assert snapshot.recent_sessions.total == sessions.total
    np.testing.assert_array_equal(
        snapshot.recent_sessions.session_items.values, sessions.session_items.values
    )


def test_shoppers_of_a_snapshot_are_those_of_the_embedding(
    inputs: SnapshotInputs, root: VersionedRoot
):
    snapshot = Snapshot.open(build(inputs, root).path)
    assert snapshot.contents.users is not None
    assert snapshot.contents.users.users == SHOPPERS
    made = UserSpace.open(inputs.embeddings[USER_SPACE])
    found = UserSpace.of_snapshot(snapshot)
    assert found is not None
    assert found.id == made.id
    for user in (made.users.ids.id(0), made.users.ids.id(SHOPPERS - 1), "nobody"):
        one, other = found.vector(user), made.vector(user)
        assert one.origin == other.origin
        np.testing.assert_array_equal(one.taken, other.taken)
        if one.values is not None and other.values is not None:
            np.testing.assert_array_equal(one.values, other.values)


def test_files_are_linked_and_sealed_in(inputs: SnapshotInputs, root: VersionedRoot):
    snapshot = build(inputs, root)
    for name, folder in inputs.tables.items():
        names = {path.name for path in folder.iterdir()} - {MANIFEST_NAME}
        linked = snapshot.path / "tables" / name
        assert {path.name for path in linked.iterdir()} == names
        for file in names:
            assert (linked / file).samefile(folder / file)
            assert f"tables/{name}/{file}" in snapshot.manifest.files
    assert "spaces/user/users/vectors.npy" in snapshot.manifest.files
    assert "spaces/user/fold_in/gram.npy" in snapshot.manifest.files
    assert snapshot.manifest.inputs[f"tables/{COVISITATION}"] == f"{COVISITATION}-made"


def test_snapshot_without_them_has_none(inputs: SnapshotInputs, root: VersionedRoot):
    snapshot = build(replace(inputs, tables={}), root, ("cf",))
    assert snapshot.covisitation is None
    assert snapshot.recent_sessions is None
    assert snapshot.users is None
    assert snapshot.fold_in is None
    assert UserSpace.of_snapshot(snapshot) is None
    assert snapshot.contents.users is None
    assert snapshot.contents.tables == ()


def test_another_table_makes_another_snapshot(
    inputs: SnapshotInputs, root: VersionedRoot, tmp_path: Path
):
    with_both = build(inputs, root)
    assert build(inputs, root).id == with_both.id
    without = build(replace(inputs, tables={}), root)
    assert without.contents.fingerprint != with_both.contents.fingerprint
    made = CovisitationTable.open(inputs.tables[COVISITATION])
    counted_again = replace(made, scores=np.asarray(made.scores) * 2)
    other = write_table(tmp_path / "other", COVISITATION, counted_again, PREPARED)
    tables = {**inputs.tables, COVISITATION: other}
    third = build(replace(inputs, tables=tables), root)
    assert third.contents.fingerprint not in {
        with_both.contents.fingerprint,
        without.contents.fingerprint,
    }


@pytest.mark.parametrize("fault", ["yesterday", "other", "short", "damaged"])
def test_tables_that_do_not_belong_are_refused(
    inputs: SnapshotInputs, root: VersionedRoot, tmp_path: Path, fault: str
):
    made = CovisitationTable.open(inputs.tables[COVISITATION])
    prepared, name, words = PREPARED, COVISITATION, "checksum"
    if fault == "yesterday":
        prepared, words = "yesterday", f"made from prepared data {PREPARED}, got .* yesterday"
    elif fault == "other":
        name, words = RECENT_SESSIONS, f"expected the table '{COVISITATION}'"
    elif fault == "short":
        shorter = made.neighbors.take(np.arange(ITEMS - 1))
        end = len(shorter.values)
        made = CovisitationTable(shorter, made.scores[:end], made.counts[:end])
        words = f"{ITEMS} items, got {ITEMS - 1}"
    bad = write_table(tmp_path / "bad", name, made, prepared)
    if fault == "damaged":
        path = bad / "scores.npy"
        path.write_bytes(path.read_bytes()[:-1] + b"\x55")
    with pytest.raises(ArtifactError, match=words):
        build(replace(inputs, tables={COVISITATION: bad}), root)


def test_user_space_without_shoppers_is_refused(
    inputs: SnapshotInputs, root: VersionedRoot, tmp_path: Path
):
    rows, vectors = range(ITEMS), clustered(ITEMS, DIM)
    bare = write_embedding(
        tmp_path / "bare", rows, vectors, vectors, space=USER_SPACE, prepared=PREPARED
    )
    embeddings = {**inputs.embeddings, USER_SPACE: bare}
    with pytest.raises(ArtifactError, match="the users cannot be opened"):
        build(replace(inputs, embeddings=embeddings), root)
