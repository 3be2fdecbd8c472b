"""The journal of what was put in service: `<root>/published.jsonl`, a line for each act."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from artifacts.errors import ArtifactError
from artifacts.folders import write_file

JOURNAL_NAME = "published.jsonl"


class PublishRecord(BaseModel):
    """One line of the journal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["publish", "roll_back"]
    id: str
    """The snapshot that was put in service."""
    at: datetime
    forced: bool = False
    """Whether the gate was told to stand aside."""
    failures: tuple[str, ...] = ()
    """What the gate had found, if it was."""


def read_journal(root: Path) -> list[PublishRecord]:
    """Return the records of `root`, oldest first; none if nothing was ever published.

    Raises:
        ArtifactError: a line is not a record.
    """
    path = root / JOURNAL_NAME
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    try:
        return [PublishRecord.model_validate_json(line) for line in lines if line]
    except ValidationError as error:
        raise ArtifactError(f"{path}: not a journal of publishing: {error}") from error


def append_record(root: Path, record: PublishRecord) -> None:
    """Add a record; the journal is replaced whole, so that no reader meets half a line."""
    lines = [entry.model_dump_json() for entry in [*read_journal(root), record]]
    write_file(root / JOURNAL_NAME, "".join(f"{line}\n" for line in lines).encode())
