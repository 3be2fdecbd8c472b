"""Put a snapshot in service, and take it back."""

from datetime import datetime

from pydantic import ValidationError

from artifacts.errors import ArtifactError, GateError
from artifacts.manifest import Manifest, read_manifest, verify
from artifacts.snapshot import Snapshot, SnapshotContents
from artifacts.versions import VersionedRoot
from indexer.config import IndexConfig
from indexer.difference import Side, compare_snapshots, side_in_service
from indexer.difference_gate import judge_difference
from indexer.gate_report import GateReport
from indexer.journal import PublishRecord, append_record, read_journal
from indexer.retention import prune_snapshots


def publish(root: VersionedRoot, id: str, *, now: datetime, force: bool = False) -> PublishRecord:
    """Move `current` to snapshot `id`, then unlink the oldest beyond the number to be kept.

    Args:
        root: where snapshots lie.
        id: a sealed snapshot.
        now: time for the journal.
        force: publish although the gate failed; the journal says so. Damage is never forced.

    Returns:
        What was written to the journal.

    Raises:
        ArtifactError: the snapshot is missing, damaged or of another format version.
        GateError: the gate failed; its failures are listed.

    Cost: one sequential read of the snapshot; a comparison with the one in service, where the gate
    asks for it and the build has not made it.
    """
    manifest = read_manifest(root.path(id), "snapshot")
    verify(root.path(id), manifest)
    failures = _failures(root, id, _gate(manifest))
    if failures and not force:
        raise GateError(f"snapshot {id} is not published, its gate failed: {'; '.join(failures)}")
    record = PublishRecord(
        action="publish", id=id, at=now, forced=bool(failures), failures=failures
    )
    _put_in_service(root, record)
    prune_snapshots(root, _index_config(manifest).keep)
    return record


def roll_back(root: VersionedRoot, *, now: datetime) -> PublishRecord:
    """Move `current` to the snapshot that was published before the one in service.

    Rolling back again goes one further back. Snapshots that are gone are passed over.

    Raises:
        ArtifactError: there is nothing to go back to, or it is damaged.
    """
    return _go_back(root, _published_before(root), now)


def activate(root: VersionedRoot, id: str, *, now: datetime) -> PublishRecord:
    """Publish a snapshot, or go back to it if it was published before.

    What was in service once may be again, whatever the gate would say by now.

    Raises:
        ArtifactError: the snapshot is missing, damaged or of another format version.
        GateError: it was never published and its gate failed.
    """
    if any(entry.action == "publish" and entry.id == id for entry in read_journal(root.root)):
        return _go_back(root, id, now)
    return publish(root, id, now=now)


def check_allowed(root: VersionedRoot, id: str) -> None:
    """Return if a snapshot may be served: its gate passed, or somebody forced it.

    Raises:
        ArtifactError: it is missing, of another format version, or without a gate report.
        GateError: its gate failed and nobody forced it.
    """
    gate = _gate(read_manifest(root.path(id), "snapshot"))
    if gate.passed or any(entry.id == id and entry.forced for entry in read_journal(root.root)):
        return
    raise GateError(f"snapshot {id}: its gate failed: {'; '.join(gate.failures)}")


def _go_back(root: VersionedRoot, id: str, now: datetime) -> PublishRecord:
    verify(root.path(id), read_manifest(root.path(id), "snapshot"))
    record = PublishRecord(action="roll_back", id=id, at=now)
    _put_in_service(root, record)
    return record


def _put_in_service(root: VersionedRoot, record: PublishRecord) -> None:
    # The journal first: killed in between, it names a snapshot that passed and did not serve; the
    # other way round it would not know the one in service, and rolling back would fail.
    append_record(root.root, record)
    root.use(record.id)


def _published_before(root: VersionedRoot) -> str:
    current = root.current_id()
    published = [entry.id for entry in read_journal(root.root) if entry.action == "publish"]
    if current in published:
        last = len(published) - 1 - published[::-1].index(current)
        earlier = [id for id in published[:last] if id != current and root.has(id)]
        if earlier:
            return earlier[-1]
    raise ArtifactError(f"{root.root}: no earlier snapshot to go back to from {current}")


def _failures(root: VersionedRoot, id: str, gate: GateReport) -> tuple[str, ...]:
    """Return what the gate has against a snapshot now.

    Another snapshot may have been put in service since this one was built and compared.
    """
    compared = gate.difference.before if gate.difference else None
    current = root.current_id()
    if current == compared:
        return gate.failures
    stale = judge_difference(gate.thresholds, gate.difference)
    standing = tuple(failure for failure in gate.failures if failure not in stale)
    in_service = side_in_service(root) if current != id else None
    if in_service is None or gate.thresholds.allows_any_difference:
        return standing
    difference = compare_snapshots(in_service, Side.of(Snapshot.open(root.path(id), check=False)))
    return (*standing, *judge_difference(gate.thresholds, difference))


def _gate(manifest: Manifest) -> GateReport:
    try:
        return GateReport.model_validate(SnapshotContents.model_validate(manifest.details).gate)
    except ValidationError as error:
        raise ArtifactError(f"snapshot {manifest.id}: no gate report: {error}") from error


def _index_config(manifest: Manifest) -> IndexConfig:
    try:
        return IndexConfig.model_validate(manifest.config.get("index"))
    except ValidationError as error:
        raise ArtifactError(f"snapshot {manifest.id}: no index settings: {error}") from error
