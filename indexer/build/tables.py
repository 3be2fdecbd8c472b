"""Tables of candidates on their way into a snapshot."""

from dataclasses import dataclass
from pathlib import Path

from artifacts.covisitation import COVISITATION, CovisitationTable
from artifacts.errors import ArtifactError
from artifacts.manifest import Manifest, read_manifest, verify
from artifacts.recent_sessions import RECENT_SESSIONS, RecentSessions
from artifacts.snapshot import TableEntry
from indexer.build.inputs import SnapshotInputs, check_lineage
from indexer.build.linking import link_files

TABLES: dict[str, type[CovisitationTable] | type[RecentSessions]] = {
    COVISITATION: CovisitationTable,
    RECENT_SESSIONS: RecentSessions,
}
"""What can be put in, by name."""


@dataclass(frozen=True, slots=True)
class TableInput:
    """A verified table."""

    name: str
    folder: Path
    manifest: Manifest

    def link(self, snapshot: Path) -> TableEntry:
        """Link the files into the folder of a snapshot, whose manifest records them anew."""
        target = f"tables/{self.name}"
        link_files(self.folder, snapshot / target, tuple(self.manifest.files))
        lineage = {"id": self.manifest.id, "config": self.manifest.config}
        return TableEntry(name=self.name, folder=target, lineage=lineage)


def open_tables(inputs: SnapshotInputs) -> list[TableInput]:
    """Verify the tables of the inputs, in the order of their names.

    Raises:
        ArtifactError: a table is damaged, is another one, or was made from another prepared data
            set.
    """
    return [_open_table(inputs, name, folder) for name, folder in sorted(inputs.tables.items())]


def _open_table(inputs: SnapshotInputs, name: str, folder: Path) -> TableInput:
    manifest = read_manifest(folder, "table")
    verify(folder, manifest)
    check_lineage(manifest, inputs.prepared, folder)
    found = manifest.details.get("table")
    if found != name:
        raise ArtifactError(f"{folder}: expected the table {name!r}, got {found!r}")
    lines, items = len(TABLES[name].map(folder)), len(inputs.prepared.items)
    if lines != items:
        raise ArtifactError(f"{folder}: expected a line for each of {items} items, got {lines}")
    return TableInput(name, folder, manifest)
