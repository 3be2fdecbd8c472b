"""What the workers of a host tell each other: which snapshot each of them serves."""

import contextlib
import logging
import os
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from artifacts.folders import write_file
from server.place import Place

logger = logging.getLogger(__name__)


class Refused(NamedTuple):
    """A snapshot that a worker could not take over."""

    id: str
    reason: str
    mark: tuple[int, int] | None
    """Of the pointer, as it was when the worker looked: what it says next may be another matter."""


class WorkerReport(BaseModel):
    """One worker, as it was when it wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int
    """Its place among the workers."""
    pid: int
    snapshot_id: str = ""
    """What it serves; empty while it loads its first snapshot."""
    refused: Refused | None = None
    """What it could not take over; None where it serves what `current` names."""


class WorkerReports:
    """A file for each place in the folder that the workers share; nothing where there is one alone.

    A report counts as long as its process lives: whoever dies is not waited for, and who follows
    loads what is current by then.

    Args:
        place: of the worker that reports.
        pid: its process.
    """

    def __init__(self, place: Place, pid: int) -> None:
        self._folder = place.run_dir
        self._index = place.index
        self._pid = pid

    def write(self, *, snapshot_id: str = "", refused: Refused | None = None) -> None:
        """Replace this worker's report, atomically."""
        if self._folder is None:
            return
        report = WorkerReport(
            index=self._index, pid=self._pid, snapshot_id=snapshot_id, refused=refused
        )
        try:
            write_file(_path(self._folder, self._index), report.model_dump_json().encode())
        except (
            OSError
        ) as error:  # an activation by call will wait in vain; nothing else depends on it
            logger.warning("not reported to other workers error=%s", error)

    def others(self) -> list[WorkerReport]:
        """Return the reports of the other workers that live, in the order of their places."""
        if self._folder is None:
            return []
        found = [_read(path) for path in sorted(self._folder.glob("worker-*.json"))]
        return [
            report
            for report in found
            if report is not None and report.pid != self._pid and _lives(report.pid)
        ]

    def withdraw(self) -> None:
        """Remove this worker's report: it serves no more."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                _path(self._folder, self._index).unlink(missing_ok=True)


def _path(folder: Path, index: int) -> Path:
    return folder / f"worker-{index:03d}.json"


def _read(path: Path) -> WorkerReport | None:
    try:
        return WorkerReport.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):  # withdrawn meanwhile
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
