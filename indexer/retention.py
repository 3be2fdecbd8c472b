"""Old snapshots go, and what they alone kept outside of their folders goes with them."""

import logging
from collections.abc import Iterator
from pathlib import Path

from artifacts.errors import ArtifactError, BackendUnavailableError
from artifacts.versions import VersionedRoot
from indexer.backends.milvus_collection import COLLECTION_NAME, collection_of, drop_collection
from indexer.header import IndexHeader
from indexer.milvus_config import MilvusBuild, MilvusConfig

logger = logging.getLogger(__name__)


def prune_snapshots(root: VersionedRoot, keep: int) -> list[str]:
    """Unlink the oldest snapshots beyond `keep`, and drop the collections that nobody uses then.

    A collection that cannot be dropped is named in the log; the snapshots go all the same.

    Returns:
        The ids of what went; see `VersionedRoot.prune`.
    """
    before = dict(_collections(root))
    removed = root.prune(keep)
    after = dict(_collections(root))
    for name, build in before.items():
        if name not in after:
            _drop(build, name)
    return removed


def _collections(root: VersionedRoot) -> Iterator[tuple[str, MilvusBuild]]:
    """Yield the collections of all sealed snapshots."""
    for id in root.ids():
        for path in root.path(id).rglob(COLLECTION_NAME):
            yield from _collection(path.parent)


def _collection(folder: Path) -> Iterator[tuple[str, MilvusBuild]]:
    try:
        config = IndexHeader.open(folder).config
        if isinstance(config, MilvusConfig):
            yield collection_of(folder), config.build
    except ArtifactError as error:  # damaged: nothing can be said of it
        logger.warning("collection unknown folder=%s error=%s", folder, error)


def _drop(build: MilvusBuild, name: str) -> None:
    try:
        drop_collection(build, name)
    except (ArtifactError, BackendUnavailableError) as error:
        logger.warning("collection not dropped name=%s uri=%s error=%s", name, build.uri, error)
