"""Stores the vectors of one space as a sealed version named by what it was made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from artifacts.embeddings import EmbeddingTable
from artifacts.folders import staged_folder
from artifacts.manifest import fingerprint, seal
from artifacts.progress import Progress
from artifacts.versions import VersionedRoot


@dataclass(frozen=True, slots=True)
class SpaceRecipe:
    """What determines the vectors of a space; equal recipes give the same version id.

    Attributes:
        space: name of the space.
        settings: effective settings that change the result, JSON-like.
        inputs: ids of artifacts and fingerprints of files that the vectors are made from.
        packages: distributions whose releases change the result.
    """

    space: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    packages: tuple[str, ...]

    @property
    def versions(self) -> dict[str, str]:
        """Installed releases of the packages."""
        return {name: version(name) for name in self.packages}

    @property
    def id(self) -> str:
        """Name of the version that this recipe makes."""
        return fingerprint(
            {
                "space": self.space,
                "config": self.settings,
                "inputs": self.inputs,
                "versions": self.versions,
            }
        )


def store_space(
    recipe: SpaceRecipe,
    root: VersionedRoot,
    fit: Callable[[Path], EmbeddingTable],
    *,
    progress: Progress,
) -> Path:
    """Fit and seal a space unless that very version is there; put it in use; return its folder.

    Args:
        recipe: what the vectors are made from.
        root: versions of this space.
        fit: makes the table; gets the folder of the new version, into which it may write further
            files (an encoder, say), which are sealed with the vectors.
        progress: told when there is nothing to do.
    """
    id = recipe.id
    if root.has(id):
        progress.start(f"train {recipe.space}")
        progress.finish(f"version {id} is up to date")
    else:
        with staged_folder(root.path(id)) as folder:
            table = fit(folder)
            table.save(folder)
            seal(
                folder,
                kind="embedding",
                id=id,
                config=dict(recipe.settings),
                inputs=dict(recipe.inputs),
                versions=recipe.versions,
                details={"space": recipe.space, "items": len(table), **table.lineage},
            )
    root.use(id)
    return root.path(id)
