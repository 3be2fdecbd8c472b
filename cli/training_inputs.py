"""Opens what earlier stages left, and refuses what does not belong together."""

from pathlib import Path

from artifacts.errors import ArtifactError
from artifacts.manifest import read_manifest
from artifacts.prepared import Prepared
from cli.shop import Workspace


def open_prepared(workspace: Workspace) -> Prepared:
    """Open the prepared data set in use."""
    return Prepared.open(workspace.prepared.current(hint="shelfmate prepare"))


def embedding_folder(workspace: Workspace, space: str) -> Path:
    """Return the folder of the vectors in use.

    Raises:
        ArtifactError: there are none, or they were made from another data set than the one in use.
    """
    folder = workspace.embedding(space).current(hint="shelfmate train")
    made_from = read_manifest(folder, "embedding").inputs.get("prepared")
    current = workspace.prepared.current_id()
    if made_from != current:
        raise ArtifactError(
            f"{folder}: made from data set {made_from}, but {current} is in use; "
            "run `shelfmate train` again"
        )
    return folder
