"""A root folder of immutable versions and a pointer to the one in use."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from artifacts.errors import ArtifactError
from artifacts.folders import remove_stale_staging, write_file
from artifacts.manifest import MANIFEST_NAME

CURRENT_NAME = "current"


@dataclass(frozen=True, slots=True)
class VersionedRoot:
    """`<root>/<id>/` for each version, and `<root>/current`, a file that names one of them.

    Every stage keeps its results this way: a reader follows `current`, a writer adds a new version
    beside it and moves the pointer by an atomic rename.
    """

    root: Path

    def path(self, id: str) -> Path:
        """Return the folder of version `id`, which need not exist."""
        return self.root / id

    def has(self, id: str) -> bool:
        """Tell whether version `id` is there, sealed."""
        return (self.path(id) / MANIFEST_NAME).is_file()

    def ids(self) -> list[str]:
        """Return the sealed versions, oldest first."""
        if not self.root.is_dir():
            return []
        sealed = [path for path in self.root.iterdir() if (path / MANIFEST_NAME).is_file()]
        visible = [path for path in sealed if not path.name.startswith(".")]
        visible.sort(key=lambda path: ((path / MANIFEST_NAME).stat().st_mtime_ns, path.name))
        return [path.name for path in visible]

    def current_id(self) -> str | None:
        """Return the id that `current` names, or None if nothing was ever put in use."""
        try:
            return (self.root / CURRENT_NAME).read_text("utf-8").strip()
        except FileNotFoundError:
            return None

    def pointer_mark(self) -> tuple[int, int] | None:
        """Return what differs each time that `current` is moved; None if it never was.

        Cost: one stat of a file.
        """
        try:
            found = (self.root / CURRENT_NAME).stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def current(self, *, hint: str) -> Path:
        """Return the folder of the version in use.

        Args:
            hint: the command that would make one, for the message.

        Raises:
            ArtifactError: no version is in use, or the one named is gone.
        """
        id = self.current_id()
        if id is None:
            raise ArtifactError(f"{self.root}: nothing there yet; run `{hint}` first")
        if not self.has(id):
            raise ArtifactError(f"{self.root}: `{CURRENT_NAME}` names {id}, which is not there")
        return self.path(id)

    def use(self, id: str) -> None:
        """Point `current` at version `id`, atomically.

        Raises:
            ArtifactError: there is no such version.
        """
        if not self.has(id):
            raise ArtifactError(f"{self.root}: no version {id}; there are: {self.ids() or 'none'}")
        write_file(self.root / CURRENT_NAME, f"{id}\n".encode())

    def prune(self, keep: int) -> list[str]:
        """Unlink the oldest versions beyond `keep`, never the one in use; return their ids.

        Files that a process has mapped stay readable to it: they are unlinked, never truncated.
        """
        remove_stale_staging(self.root)
        current = self.current_id()
        candidates = [id for id in self.ids() if id != current]
        surplus = len(candidates) - max(keep - 1, 0)
        removed = candidates[: max(surplus, 0)]
        for id in removed:
            # Renamed first, so that a reader never opens a version that is half gone.
            doomed = self.root / f".{id}.removed-{os.getpid()}"
            self.path(id).rename(doomed)
            shutil.rmtree(doomed)
        return removed
