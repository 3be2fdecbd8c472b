"""Two snapshots to swap between, made of one."""

import os
import shutil
from pathlib import Path

from artifacts.folders import write_file
from artifacts.manifest import MANIFEST_NAME, read_manifest
from artifacts.versions import VersionedRoot

TWIN = "-twin"


def twin_snapshots(snapshot: Path, root: Path) -> VersionedRoot:
    """Return a new root that holds a snapshot and a copy of it under another id, the first in use.

    The copy is a real one: pages of its files are not those that are mapped already.

    Args:
        snapshot: folder of a sealed snapshot; it is linked where the filesystem allows.
        root: folder that does not exist.
    """
    snapshots = VersionedRoot(root)
    shutil.copytree(snapshot, snapshots.path(snapshot.name), copy_function=link_or_copy)
    twin = snapshots.path(f"{snapshot.name}{TWIN}")
    shutil.copytree(snapshot, twin)
    manifest = read_manifest(twin, "snapshot").model_copy(update={"id": twin.name})
    write_file(twin / MANIFEST_NAME, manifest.model_dump_json(indent=2).encode())
    snapshots.use(snapshot.name)
    return snapshots


def link_or_copy(source: str, target: str) -> None:
    """Make a file appear under another name, at no cost of space where the filesystem allows."""
    try:
        os.link(source, target)
    except OSError:  # another filesystem, or one without hard links
        shutil.copyfile(source, target)
