"""Stores a table of candidates as a sealed version named by what it was made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from artifacts.folders import staged_folder
from artifacts.manifest import Json, fingerprint, seal
from artifacts.progress import Progress
from artifacts.versions import VersionedRoot

PACKAGES = ("numba", "numpy")


@dataclass(frozen=True, slots=True)
class TableRecipe:
    """What determines a table; equal recipes give the same version id.

    Attributes:
        table: name of the table.
        settings: effective settings that change the result, JSON-like.
        prepared: id of the prepared data set.
    """

    table: str
    settings: Mapping[str, Any]
    prepared: str

    @property
    def versions(self) -> dict[str, str]:
        """Installed releases of what shapes the result."""
        return {name: version(name) for name in PACKAGES}

    @property
    def id(self) -> str:
        """Name of the version that this recipe makes."""
        return fingerprint(
            {
                "table": self.table,
                "config": self.settings,
                "inputs": {"prepared": self.prepared},
                "versions": self.versions,
            }
        )


def store_table(
    recipe: TableRecipe,
    root: VersionedRoot,
    fill: Callable[[Path], Json],
    *,
    progress: Progress,
) -> Path:
    """Fill and seal a table unless that very version is there; put it in use; return its folder.

    Args:
        recipe: what the table is made from.
        root: versions of this table.
        fill: writes the files into the folder of the new version; returns details worth recording.
        progress: told when there is nothing to do.
    """
    id = recipe.id
    if root.has(id):
        progress.start(f"table {recipe.table}")
        progress.finish(f"version {id} is up to date")
    else:
        with staged_folder(root.path(id)) as folder:
            details = fill(folder)
            seal(
                folder,
                kind="table",
                id=id,
                config=dict(recipe.settings),
                inputs={"prepared": recipe.prepared},
                versions=recipe.versions,
                details={"table": recipe.table, **details},
            )
    root.use(id)
    return root.path(id)
