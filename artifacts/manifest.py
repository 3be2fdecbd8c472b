"""The manifest that seals an artifact folder: what it is, what made it, and its checksums."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import xxhash
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from artifacts.errors import ArtifactError
from artifacts.folders import write_file

MANIFEST_NAME = "manifest.json"
FORMAT_VERSION = 1
BLOCK_BYTES = 1 << 20

Json: TypeAlias = dict[str, Any]
Kind: TypeAlias = Literal[
    "prepared",
    "embedding",
    "table",
    "index",
    "snapshot",
    "campaign",
    "ranking_table",
    "ranker",
]


class FileRecord(BaseModel):
    """One file of an artifact, as it was when the artifact was sealed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(ge=0)
    """Bytes."""
    xxh3: str
    """XXH3-128 of the content, in hexadecimal. It finds damage; it does not prove origin."""


class Manifest(BaseModel):
    """Contents of `manifest.json`; see docs/snapshot-format.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int
    kind: Kind
    id: str
    created_at: datetime
    config: Json
    """The effective settings of the stage that made the artifact."""
    inputs: dict[str, str]
    """Ids of the artifacts, or fingerprints of the files, that it was made from."""
    versions: dict[str, str]
    """Versions of the libraries that shaped the result."""
    details: Json
    """What the stage wants its readers to know; each kind defines its own."""
    files: dict[str, FileRecord]
    """Every file of the folder but the manifest, by path relative to the folder."""


def fingerprint(value: object) -> str:
    """Return a stable 16-digit hexadecimal name for any JSON-like value."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return xxhash.xxh3_64_hexdigest(canonical.encode())


def file_checksum(path: Path) -> str:
    """Return the XXH3-128 of a file. Cost: one sequential read, bounded memory."""
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def seal(  # noqa: PLR0913 - the fields of a manifest
    folder: Path,
    *,
    kind: Kind,
    id: str,
    config: Json,
    inputs: dict[str, str],
    versions: dict[str, str],
    details: Json | None = None,
    now: datetime | None = None,
) -> Manifest:
    """Checksum every file below `folder` and write its manifest last."""
    files = {
        path.relative_to(folder).as_posix(): FileRecord(
            size=path.stat().st_size, xxh3=file_checksum(path)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        kind=kind,
        id=id,
        created_at=now or datetime.now(UTC),
        config=config,
        inputs=inputs,
        versions=versions,
        details=details or {},
        files=files,
    )
    write_file(folder / MANIFEST_NAME, manifest.model_dump_json(indent=2).encode())
    return manifest


def read_manifest(folder: Path, kind: Kind) -> Manifest:
    """Read the manifest of an artifact without checking its files.

    Raises:
        ArtifactError: no folder, no manifest, another kind, or a format version that this release
            does not read (both versions are named).
    """
    path = folder / MANIFEST_NAME
    try:
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(
            f"{folder}: expected a sealed {kind}, found no {MANIFEST_NAME}"
        ) from None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: cannot be read as JSON: {error}") from error
    found = raw.get("format_version") if isinstance(raw, dict) else None
    if found != FORMAT_VERSION:
        raise ArtifactError(
            f"{path}: format version {found} is not supported, this release reads version "
            f"{FORMAT_VERSION}; build the artifact again or use the release that wrote it"
        )
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        raise ArtifactError(f"{path}: not a manifest: {error}") from error
    if manifest.kind != kind:
        raise ArtifactError(f"{path}: expected a {kind}, found a {manifest.kind}")
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Compare every file with its checksum before anything parses it.

    Malformed index files have crashed the libraries that read them, so this comes first.

    Raises:
        ArtifactError: a file is missing, of another size, changed, or was not sealed in.

    Cost: one sequential read of the folder.
    """
    for name in manifest.files:
        verify_file(folder, manifest, name)
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    extra = present - set(manifest.files) - {MANIFEST_NAME}
    if extra:
        raise ArtifactError(f"{folder}: holds a file that was not sealed in: {min(extra)}")


def verify_file(folder: Path, manifest: Manifest, name: str) -> None:
    """Compare one file with its checksum; see `verify`.

    Raises:
        ArtifactError: it was not sealed in, is missing, of another size, or changed.
    """
    path, record = folder / name, manifest.files.get(name)
    if record is None:
        raise ArtifactError(f"{path}: is not in the manifest")
    if not path.is_file():
        raise ArtifactError(f"{path}: is in the manifest but not on disk")
    size = path.stat().st_size
    if size != record.size:
        raise ArtifactError(f"{path}: expected {record.size} bytes, found {size}")
    if file_checksum(path) != record.xxh3:
        raise ArtifactError(f"{path}: content differs from its checksum; the file is damaged")
