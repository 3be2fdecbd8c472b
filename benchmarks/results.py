"""Results as JSON lines: one self-describing record a measurement, appended and never rewritten."""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from artifacts.errors import ArtifactError, ConfigError
from benchmarks.machine import Machine

RESULT_FORMAT = 1


class Result(BaseModel):
    """One measurement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = RESULT_FORMAT
    suite: str
    """What was measured, such as `search`."""
    name: str
    """Which of the things compared, such as `faiss nlist=256 nprobe=8`."""
    measured_at: datetime
    machine: Machine
    data: str
    """Name and fingerprint of the data."""
    config: dict[str, Any]
    metrics: dict[str, float]
    """By name; a name ends in its unit (`_s`, `_us`, `_bytes`, `_per_s`) or is a ratio."""


def append_result(path: Path, result: Result) -> None:
    """Add one record to `path` and flush it to the disk, so that an interruption loses none.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(result.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"{path}: results cannot be written: {error}") from error


def read_results(path: Path) -> list[Result]:
    """Read every record of a file, in order.

    Raises:
        ArtifactError: a line is no record, or of another result format (its number is named).
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise ArtifactError(f"{path}: results cannot be read: {error}") from error
    return [_parse(path, number, line) for number, line in _numbered(lines)]


def _numbered(lines: list[str]) -> Iterable[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _parse(path: Path, number: int, line: str) -> Result:
    try:
        raw = json.loads(line)
        found = raw.get("format") if isinstance(raw, dict) else None
        if found != RESULT_FORMAT:
            raise ArtifactError(
                f"{path}:{number}: result format {found}, this release reads {RESULT_FORMAT}"
            )
        return Result.model_validate(raw)
    except (ValueError, ValidationError) as error:
        raise ArtifactError(f"{path}:{number}: not a result: {error}") from error
