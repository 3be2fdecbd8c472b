"""The command `map`, composed."""

from collections.abc import Sequence

from artifacts.embeddings import EmbeddingTable
from artifacts.progress import Progress
from cli.shop import ShopConfig, Workspace
from cli.training_inputs import embedding_folder, open_prepared
from trainer.map import MapFiles, write_map


def run_maps(shop: ShopConfig, spaces: Sequence[str], progress: Progress) -> list[MapFiles]:
    """Draw each space into the work folder; return the files.

    Raises:
        ArtifactError: a space was not trained, or from another data set than the one in use.
    """
    workspace = Workspace(shop.work_dir)
    catalog = open_prepared(workspace).catalog
    return [
        write_map(
            EmbeddingTable.open(embedding_folder(workspace, space), space),
            catalog,
            workspace.maps,
            shop.map,
            progress=progress,
        )
        for space in spaces
    ]
