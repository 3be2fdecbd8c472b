"""The folder of one campaign: its identity, its parts, and what is already there."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from artifacts.errors import ArtifactError, ConfigError
from artifacts.folders import STAGING_MARK, write_file
from artifacts.manifest import MANIFEST_NAME, Json, read_manifest, seal

IDENTITY_NAME = "campaign.json"
PARTS_FOLDER = "recommendations"
UNKNOWN_USERS_NAME = "unknown_users.parquet"
UNKNOWN_ITEMS_NAME = "unknown_items.parquet"


class CampaignIdentity(BaseModel):
    """What the parts of a campaign depend on; only an equal campaign goes on in its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedding: str
    """Version of the space `user`."""
    k: int
    """Items for a user."""
    exclude_taken: bool
    """Whether what a user took is left out."""
    users_per_part: int
    """Users of one part."""
    users: str
    """Fingerprint of the users, in order."""
    denied: str
    """Fingerprint of the items left out."""


@dataclass(frozen=True, slots=True)
class CampaignFolder:
    """Writes parts aside and renames them, so that a part that is there is whole.

    One process at a time writes a campaign.
    """

    path: Path

    def claim(self, identity: CampaignIdentity) -> None:
        """Begin the campaign, or go on with it.

        Raises:
            ConfigError: the folder holds another campaign (what differs is named), or other files.
        """
        name = self.path / IDENTITY_NAME
        if name.exists():
            self._check(identity, name)
            return
        if self.path.exists() and any(self.path.iterdir()):
            raise ConfigError(f"{self.path}: expected a new or empty folder, or one of a campaign")
        (self.path / PARTS_FOLDER).mkdir(parents=True, exist_ok=True)
        write_file(name, identity.model_dump_json(indent=2).encode())

    def _check(self, identity: CampaignIdentity, name: Path) -> None:
        try:
            found = CampaignIdentity.model_validate_json(name.read_bytes()).model_dump()
        except (OSError, ValidationError) as error:
            raise ArtifactError(f"{name}: not the identity of a campaign: {error}") from error
        differing = [
            f"{key} was {found[key]}, is {value}"
            for key, value in identity.model_dump().items()
            if found[key] != value
        ]
        if differing:
            raise ConfigError(
                f"{self.path}: holds another campaign: {'; '.join(differing)}; choose a new folder"
            )

    @property
    def is_finished(self) -> bool:
        """Whether every part is there and sealed."""
        return (self.path / MANIFEST_NAME).is_file()

    def part(self, number: int) -> Path:
        """Return the file of a part, which is whole if it exists."""
        return self.path / PARTS_FOLDER / f"part-{number:05}.parquet"

    def write(self, path: Path, table: pa.Table) -> None:
        """Write a table as Parquet, aside, then rename."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        write_file(path, sink.getvalue().to_pybytes())

    def write_unknown(self, users: list[str], items: list[str]) -> None:
        """Write which ids of the caller's lists nobody knows."""
        for name, column, ids in (
            (UNKNOWN_USERS_NAME, "user_id", users),
            (UNKNOWN_ITEMS_NAME, "item_id", items),
        ):
            self.write(self.path / name, pa.table({column: pa.array(ids, type=pa.string())}))

    def finish(self, id: str, identity: CampaignIdentity, report: Json) -> None:
        """Seal the folder: a manifest means that nothing is missing."""
        for stray in self.path.rglob(f".*{STAGING_MARK}*"):
            stray.unlink()  # of an interrupted run; it must not be sealed in
        seal(
            self.path,
            kind="campaign",
            id=id,
            config=identity.model_dump(),
            inputs={"embedding": identity.embedding},
            versions={"numpy": version("numpy")},
            details=report,
        )

    def report(self) -> Json:
        """Return what `finish` was given."""
        return read_manifest(self.path, "campaign").details
