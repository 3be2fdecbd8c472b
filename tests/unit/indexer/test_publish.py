import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from artifacts.errors import ArtifactError, GateError
from artifacts.manifest import MANIFEST_NAME
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import GateConfig, IndexConfig, SpaceIndexConfig
from indexer.journal import read_journal
from indexer.publish import activate, check_allowed, publish, roll_back
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared


@pytest.fixture
def inputs(tmp_path: Path) -> SnapshotInputs:
    return SnapshotInputs(
        write_prepared(tmp_path / "prepared", 30),
        {"cf": write_embedding(tmp_path / "cf", range(20), clustered(20))},
    )


@pytest.fixture
def root(tmp_path: Path) -> VersionedRoot:
    return VersionedRoot(tmp_path / "snapshots")


def minutes(count: int) -> datetime:
    return MADE_AT + timedelta(minutes=count)


def build(
    inputs: SnapshotInputs, root: VersionedRoot, count: int, *, coverage: float = 0, keep: int = 3
) -> str:
    config = IndexConfig(
        spaces=(SpaceIndexConfig(space="cf", neighbors=3),),
        gate=GateConfig(min_coverage=coverage),
        keep=keep,
        threads=1,
    )
    # Fresh, since the snapshots differ in nothing but their time.
    return build_snapshot(
        inputs, config, root, progress=SilentProgress(), now=minutes(count), fresh=True
    ).id


def test_built_snapshot_is_not_in_service_until_published(
    inputs: SnapshotInputs, root: VersionedRoot
):
    id = build(inputs, root, 0)
    assert root.current_id() is None
    record = publish(root, id, now=minutes(1))
    assert root.current_id() == id
    assert read_journal(root.root) == [record]
    assert (record.action, record.at, record.forced) == ("publish", minutes(1), False)


def test_failed_gate_keeps_the_old_snapshot_in_service_and_lists_why(
    inputs: SnapshotInputs, root: VersionedRoot
):
    old, poor = build(inputs, root, 0), build(inputs, root, 1, coverage=0.9)
    publish(root, old, now=minutes(2))
    with pytest.raises(GateError, match=r"0\.667 of the catalogue has neighbours"):
        publish(root, poor, now=minutes(3))
    assert root.current_id() == old
    assert len(read_journal(root.root)) == 1


def test_forcing_a_failed_gate_is_recorded_with_its_failures(
    inputs: SnapshotInputs, root: VersionedRoot
):
    poor, good = build(inputs, root, 0, coverage=0.9), build(inputs, root, 1)
    forced = publish(root, poor, now=minutes(2), force=True)
    assert root.current_id() == poor
    assert forced.forced
    assert "0.667" in forced.failures[0]
    assert not publish(root, good, now=minutes(3), force=True).forced


@pytest.mark.parametrize("force", [False, True])
def test_damaged_snapshot_is_never_published(
    inputs: SnapshotInputs, root: VersionedRoot, force: bool
):
    id = build(inputs, root, 0)
    path = root.path(id) / "neighbors" / "cf" / "alternatives" / "rows.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ArtifactError, match="bytes"):
        publish(root, id, now=minutes(1), force=force)
    assert root.current_id() is None
    assert read_journal(root.root) == []


def test_unknown_snapshot_is_refused(root: VersionedRoot):
    with pytest.raises(ArtifactError, match="nowhere"):
        publish(root, "nowhere", now=MADE_AT)


def test_publishing_keeps_as_many_snapshots_as_configured(
    inputs: SnapshotInputs, root: VersionedRoot
):
    ids = []
    for count in range(4):
        ids.append(build(inputs, root, count, keep=2))
        publish(root, ids[-1], now=minutes(count))
    assert root.ids() == ids[2:]


def test_rolling_back_goes_one_publication_back_each_time(
    inputs: SnapshotInputs, root: VersionedRoot
):
    first, second, third = ids = [build(inputs, root, count) for count in range(3)]
    for id in ids:
        publish(root, id, now=minutes(5))
    assert roll_back(root, now=minutes(6)).id == root.current_id() == second
    assert roll_back(root, now=minutes(7)).id == root.current_id() == first
    with pytest.raises(ArtifactError, match="no earlier snapshot"):
        roll_back(root, now=minutes(8))
    publish(root, third, now=minutes(9))
    assert roll_back(root, now=minutes(10)).id == second
    actions = [record.action for record in read_journal(root.root)]
    assert actions == ["publish"] * 3 + ["roll_back"] * 2 + ["publish", "roll_back"]


def test_rolling_back_passes_over_snapshots_that_are_gone(
    inputs: SnapshotInputs, root: VersionedRoot
):
    ids = [build(inputs, root, count) for count in range(3)]
    for id in ids:
        publish(root, id, now=minutes(5))
    shutil.rmtree(root.path(ids[1]))
    assert roll_back(root, now=minutes(6)).id == ids[0]


def test_rolling_back_to_a_damaged_snapshot_is_refused(inputs: SnapshotInputs, root: VersionedRoot):
    first, second = build(inputs, root, 0), build(inputs, root, 1)
    publish(root, first, now=minutes(2))
    publish(root, second, now=minutes(3))
    (root.path(first) / "popularity" / "rows.npy").unlink()
    with pytest.raises(ArtifactError, match="not on disk"):
        roll_back(root, now=minutes(4))
    assert root.current_id() == second


def test_nothing_to_roll_back_to_is_said(root: VersionedRoot):
    with pytest.raises(ArtifactError, match="no earlier snapshot"):
        roll_back(root, now=MADE_AT)


@pytest.mark.parametrize(("field", "value"), [("gate", {}), ("indices", 3)])
def test_snapshot_without_a_gate_report_is_refused(
    inputs: SnapshotInputs, root: VersionedRoot, field: str, value: object
):
    id = build(inputs, root, 0)
    path = root.path(id) / MANIFEST_NAME
    manifest = json.loads(path.read_bytes())
    manifest["details"][field] = value
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="gate"):
        publish(root, id, now=minutes(1), force=True)


def test_torn_journal_is_named(inputs: SnapshotInputs, root: VersionedRoot):
    id = build(inputs, root, 0)
    (root.root / "published.jsonl").write_text('{"action": "publ')
    with pytest.raises(ArtifactError, match=r"published\.jsonl"):
        publish(root, id, now=minutes(1))
    assert root.current_id() is None


def test_activating_publishes_what_is_new_and_goes_back_to_what_is_not(
    inputs: SnapshotInputs, root: VersionedRoot
):
    first, second = build(inputs, root, 0), build(inputs, root, 1)
    assert activate(root, first, now=minutes(2)).action == "publish"
    assert activate(root, second, now=minutes(3)).action == "publish"
    assert activate(root, first, now=minutes(4)).action == "roll_back"
    assert root.current_id() == first
    assert [entry.id for entry in read_journal(root.root)] == [first, second, first]


def test_activating_below_the_gate_is_refused_unless_it_was_forced_before(
    inputs: SnapshotInputs, root: VersionedRoot
):
    good, bad = build(inputs, root, 0), build(inputs, root, 1, coverage=1)
    publish(root, good, now=minutes(2))
    check_allowed(root, good)
    with pytest.raises(GateError, match="of the catalogue"):
        activate(root, bad, now=minutes(3))
    with pytest.raises(GateError, match="of the catalogue"):
        check_allowed(root, bad)
    assert root.current_id() == good
    publish(root, bad, now=minutes(4), force=True)
    check_allowed(root, bad)
    roll_back(root, now=minutes(5))
    assert activate(root, bad, now=minutes(6)).action == "roll_back"
    assert root.current_id() == bad
