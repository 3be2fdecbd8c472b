"""Opens what earlier stages left, and refuses what does not belong together."""

from pathlib import Path

from artifacts.errors import ArtifactError
from artifacts.manifest import Kind, read_manifest
from artifacts.prepared import Prepared
from artifacts.versions import VersionedRoot
from cli.shop import Workspace


def open_prepared(workspace: Workspace) -> Prepared:
    """Open the prepared data set in use."""
    return Prepared.open(workspace.prepared.current(hint="shelfmate prepare"))


def embedding_folder(workspace: Workspace, space: str) -> Path:
    """Return the folder of the vectors in use.

    Raises:
        ArtifactError: there are none, or they were made from another data set than the one in use.
    """
    return _of_this_data(workspace, workspace.embedding(space), "embedding")


def table_folder(workspace: Workspace, name: str) -> Path:
    """Return the folder of a table in use.

    Raises:
        ArtifactError: there is none, or it was made from another data set than the one in use.
    """
    return _of_this_data(workspace, workspace.table(name), "table")


def _of_this_data(workspace: Workspace, root: VersionedRoot, kind: Kind) -> Path:
    folder = root.current(hint="shelfmate train")
    made_from = read_manifest(folder, kind).inputs.get("prepared")
    current = workspace.prepared.current_id()
    if made_from != current:
        raise ArtifactError(
            f"{folder}: made from data set {made_from}, but {current} is in use; "
            "run `shelfmate train` again"
        )
    return folder
