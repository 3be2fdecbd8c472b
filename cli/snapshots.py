"""Puts snapshots in service, takes them back, lists and compares them."""

from datetime import UTC, datetime

from rich.table import Table

from artifacts.errors import ArtifactError
from artifacts.manifest import Manifest, read_manifest
from artifacts.snapshot import Snapshot, SnapshotContents
from artifacts.versions import VersionedRoot
from cli.shop import ShopConfig, Workspace
from indexer.difference import Side, compare_snapshots
from indexer.difference_report import Difference
from indexer.publish import publish, roll_back


def run_publish(shop: ShopConfig, id: str | None, *, force: bool) -> str:
    """Put a snapshot in service, the newest one unless `id` names another; returns its id.

    Raises:
        ArtifactError: there is none, or it is damaged.
        GateError: it is below its thresholds, and `force` is off.
    """
    snapshots = Workspace(shop.work_dir).snapshots
    ids = snapshots.ids()
    if not ids:
        raise ArtifactError(f"{snapshots.root}: no snapshot yet; run `shelfmate index` first")
    chosen = id or ids[-1]
    return publish(snapshots, chosen, now=datetime.now(UTC), force=force).id


def roll_back_snapshot(shop: ShopConfig) -> str:
    """Put the snapshot that was published before back in service; return its id."""
    return roll_back(Workspace(shop.work_dir).snapshots, now=datetime.now(UTC)).id


def diff_snapshots(
    shop: ShopConfig, before: str | None, after: str | None, *, movers: int
) -> Difference:
    """Compare the lists of two snapshots.

    Args:
        shop: where they lie.
        before: id; None takes the one in service.
        after: id; None takes the newest.
        movers: items to be named for each table.

    Raises:
        ArtifactError: one of them is missing or damaged.
    """
    snapshots = Workspace(shop.work_dir).snapshots
    if before is None:
        before = snapshots.current(hint="shelfmate publish").name
    if after is None:
        after = snapshots.ids()[-1]
    sides = (Side.of(Snapshot.open(snapshots.path(id))) for id in (before, after))
    return compare_snapshots(*sides, movers=movers)


def snapshot_table(root: VersionedRoot) -> Table:
    """Describe every snapshot of `root`, newest first."""
    table = Table(box=None, title=None)
    for heading in ("", "snapshot", "built (UTC)", "items", "size", "lowest recall@10", "gate"):
        table.add_column(heading)
    current = root.current_id()
    for id in reversed(root.ids()):
        manifest = read_manifest(root.path(id), "snapshot")
        table.add_row("*" if id == current else "", id, *_facts(manifest))
    table.caption = "* in service" if current else "none is in service"
    table.caption_justify = "left"
    return table


def _facts(manifest: Manifest) -> tuple[str, str, str, str, str]:
    contents = SnapshotContents.model_validate(manifest.details)
    measured = ((entry.recall, entry.visit_recall) for entry in contents.indices)
    recalls = [value for pair in measured for value in pair if value is not None]
    size = sum(record.size for record in manifest.files.values())
    return (
        f"{manifest.created_at:%Y-%m-%d %H:%M}",
        f"{contents.items:,}",
        f"{size / 2**20:,.0f} MiB",
        f"{min(recalls):.3f}" if recalls else "exact",
        "passed" if contents.gate.get("passed") else "failed",
    )
