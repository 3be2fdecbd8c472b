"""What a snapshot holds, and a page of several, as messages of the wire."""

import logging
from collections import Counter
from collections.abc import Sequence

from pydantic import ValidationError

from artifacts.errors import ArtifactError, RequestError
from artifacts.manifest import Manifest, read_manifest
from artifacts.snapshot import SnapshotContents, SpaceEntry
from artifacts.versions import VersionedRoot
from server.convert.enums import RELATIONS
from server.convert.times import timestamp
from shelfmate.v1 import admin_pb2

logger = logging.getLogger(__name__)

MAX_PAGE = 100
USUAL_PAGE = 20


def snapshot_info(manifest: Manifest, contents: SnapshotContents) -> admin_pb2.SnapshotInfo:
    """Write what a snapshot holds."""
    return admin_pb2.SnapshotInfo(
        snapshot_id=manifest.id,
        created_at=timestamp(manifest.created_at),
        item_count=contents.items,
        spaces=[_space_info(contents, entry) for entry in contents.spaces],
        format_version=manifest.format_version,
        size_bytes=sum(record.size for record in manifest.files.values()),
    )


def snapshots_response(
    root: VersionedRoot, request: admin_pb2.ListSnapshotsRequest
) -> admin_pb2.ListSnapshotsResponse:
    """List a page of snapshots, newest first; what cannot be read cannot be served and is left out.

    Raises:
        RequestError: the page size or the token is wrong.
    """
    ids = root.ids()[::-1]
    page = _page(ids, request.page_size, request.page_token)
    infos = (_read_info(root, id) for id in page)
    return admin_pb2.ListSnapshotsResponse(
        snapshots=[info for info in infos if info is not None],
        next_page_token=page[-1] if page and page[-1] != ids[-1] else "",
        current_snapshot_id=root.current_id() or "",
    )


def _page(ids: Sequence[str], size: int, token: str) -> Sequence[str]:
    """Return the ids after the one that the token names: the last of the page before."""
    if size < 0:
        raise RequestError(
            f"page_size: expected 0 to {MAX_PAGE}, got {size}",
            field="page_size",
            reason="PAGE_SIZE_OUT_OF_RANGE",
        )
    if token and token not in ids:
        raise RequestError(
            f"page_token: expected the token of a page before, got {token!r}; list from the start",
            field="page_token",
            reason="UNKNOWN_PAGE_TOKEN",
        )
    start = ids.index(token) + 1 if token else 0
    return ids[start : start + min(size or USUAL_PAGE, MAX_PAGE)]


def _read_info(root: VersionedRoot, id: str) -> admin_pb2.SnapshotInfo | None:
    try:
        manifest = read_manifest(root.path(id), "snapshot")
        return snapshot_info(manifest, SnapshotContents.model_validate(manifest.details))
    except (ArtifactError, ValidationError) as error:
        logger.warning("snapshot not listed snapshot=%s error=%s", id, error)
        return None


def _space_info(contents: SnapshotContents, space: SpaceEntry) -> admin_pb2.SpaceInfo:
    indices = [entry for entry in contents.indices if entry.space == space.name]
    tables = [entry for entry in contents.neighbors if entry.space == space.name]
    relations = Counter(entry.relation for entry in indices)
    return admin_pb2.SpaceInfo(
        name=space.name,
        dim=space.dim,
        item_count=space.items,
        relations=sorted(RELATIONS[relation] for relation in relations),
        index_count=len(indices),
        precomputed_count=sum(entry.items for entry in tables),
    )
