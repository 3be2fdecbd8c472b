"""Indices of earlier snapshots, taken again where nothing that they were made from has changed."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from artifacts.arrays import IntVector, map_array
from artifacts.errors import ArtifactError
from artifacts.manifest import Manifest, read_manifest, verify_file
from artifacts.relation import Relation
from artifacts.snapshot import IndexEntry, Snapshot, SnapshotContents
from artifacts.versions import VersionedRoot
from indexer.build.fingerprints import library_versions
from indexer.build.linking import link_files
from indexer.row_index import ROWS_NAME
from indexer.target_config import TargetConfig
from indexer.tuning import EarlierChoice, TuningReport


class PartName(NamedTuple):
    """What names a part of a space from one snapshot to the next."""

    space: str
    relation: Relation
    category: str


@dataclass(frozen=True, slots=True)
class Donor:
    """An index of an earlier snapshot.

    Attributes:
        snapshot: folder of that snapshot.
        manifest: its manifest.
        entry: what it says of the index.
    """

    snapshot: Path
    manifest: Manifest
    entry: IndexEntry

    def link(self, target: Path, rows: IntVector) -> None:
        """Verify the index and link it into the new folder `target`, for the rows of today.

        An index numbers its vectors from 0, so it outlives a vocabulary that has grown; only the
        file of rows is written again.

        Raises:
            ArtifactError: a file is damaged, which must not be sealed in anew, or is gone.
        """
        folder = self.snapshot / self.entry.folder
        prefix = f"{self.entry.folder}/"
        sealed = [name for name in self.manifest.files if name.startswith(prefix)]
        for name in sealed:
            verify_file(self.snapshot, self.manifest, name)
        kept = {name.removeprefix(prefix) for name in sealed}
        if not np.array_equal(map_array(folder / ROWS_NAME), rows):
            kept.discard(ROWS_NAME)
        link_files(folder, target, tuple(kept))
        if ROWS_NAME not in kept:
            np.save(target / ROWS_NAME, rows)


@dataclass(frozen=True, slots=True)
class EarlierIndices:
    """The indices of the snapshots below a root; of equal ones the newest.

    Attributes:
        donors: by fingerprint.
        tuned: those whose backend was found by measuring, by the part that they are of.
    """

    donors: Mapping[str, Donor] = field(default_factory=dict)
    tuned: Mapping[PartName, Donor] = field(default_factory=dict)

    @classmethod
    def below(cls, root: VersionedRoot) -> "EarlierIndices":
        """Read the manifests of all snapshots; those that cannot be read are passed over.

        Cost: one manifest each; nothing is verified before it is taken.
        """
        found = [donor for id in root.ids() for donor in _donors(root.path(id))]
        return cls(
            {donor.entry.fingerprint: donor for donor in found},
            {_part_name(donor.entry): donor for donor in found if donor.entry.tuning},
        )

    def choice(self, part: PartName, target: TargetConfig) -> EarlierChoice | None:
        """Return what was found for a part, if it was for this target, by these libraries."""
        donor = self.tuned.get(part)
        if donor is None or donor.manifest.versions != library_versions():
            return None
        try:
            report = TuningReport.model_validate(donor.entry.tuning)
        except ValidationError:  # of another release
            return None
        return EarlierChoice.of(report) if report.target == target else None

    def take(self, fingerprint: str, target: Path, rows: IntVector) -> IndexEntry | None:
        """Link the index of that fingerprint into the new folder `target`.

        Args:
            fingerprint: of what the index is made from.
            target: a folder that does not exist.
            rows: (n,) int32 vocabulary rows of its vectors.

        Returns:
            What the earlier snapshot says of the index, or None where there is none, where it is
            damaged, or where it was removed meanwhile; nothing is left in `target` then.

        Cost: one read of the index.
        """
        donor = self.donors.get(fingerprint)
        if donor is None:
            return None
        try:
            donor.link(target, rows)
        except (OSError, ArtifactError):  # damaged, or pruned while it was read
            shutil.rmtree(target, ignore_errors=True)
            return None
        return donor.entry


def newest_of(root: VersionedRoot, fingerprint: str) -> Snapshot | None:
    """Return the newest snapshot if it is of that fingerprint and not damaged, else None.

    An older one will not do: whoever publishes next means the newest. Neither will one whose gate
    measured the difference to another snapshot than the one in service, unless it serves itself.

    Cost: one read of the snapshot.
    """
    in_service = root.current_id()
    for id in root.ids()[-1:]:
        read = _read(root.path(id))
        if read is None or read[1].fingerprint != fingerprint:
            continue
        if in_service == id or _compared_with(read[1]) == in_service:
            with suppress(ArtifactError):  # damaged, or pruned meanwhile: as if it were not there
                return Snapshot.open(root.path(id))
    return None


def _compared_with(contents: SnapshotContents) -> str | None:
    """Return the id of the snapshot that was in service when the gate measured."""
    difference = contents.gate.get("difference")
    return difference["before"] if difference else None


def _read(path: Path) -> tuple[Manifest, SnapshotContents] | None:
    """Return what a snapshot says of itself, or None if it is of another format or gone by now."""
    try:
        manifest = read_manifest(path, "snapshot")
        return manifest, SnapshotContents.model_validate(manifest.details)
    except (ArtifactError, ValidationError):
        return None


def _part_name(entry: IndexEntry) -> PartName:
    return PartName(entry.space, entry.relation, entry.category)


def _donors(path: Path) -> Iterator[Donor]:
    read = _read(path)
    if read is None:
        return
    manifest, contents = read
    lending = contents.anchors.indices if contents.anchors else ()
    for entry in (*contents.indices, *lending):
        if entry.fingerprint:
            yield Donor(path, manifest, entry)
