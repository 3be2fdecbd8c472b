"""Responses of the admin service as plain values; both admin clients read theirs here."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from shelfmate.client.admin_answers import (
    Activated,
    RefusedSnapshot,
    ServingStatus,
    SnapshotInfo,
    SnapshotList,
    SpaceInfo,
    StockUpdate,
)
from shelfmate.client.responses import entry_error, word
from shelfmate.v1 import admin_pb2, common_pb2


def serving_status(response: admin_pb2.GetServingStatusResponse) -> ServingStatus:
    """Read what a worker serves."""
    return ServingStatus(
        state=word(admin_pb2.ServingState.Name(response.state), "SERVING_STATE_"),
        snapshot_id=response.snapshot.snapshot_id,
        item_count=response.snapshot.item_count,
        spaces={space.name: space.dim for space in response.snapshot.spaces},
        serving_configs=tuple(response.serving_configs),
        server_version=response.server_version,
        activated_at=_at(response.activated_at) if response.HasField("activated_at") else None,
        started_at=_at(response.started_at),
        worker_pid=response.worker_pid,
        worker_index=response.worker_index,
        refused=_refused(response.refused) if response.HasField("refused") else None,
    )


def snapshot_list(pages: list[admin_pb2.ListSnapshotsResponse]) -> SnapshotList:
    """Read all pages of a listing, of which there is at least one."""
    return SnapshotList(
        snapshots=tuple(_snapshot(one) for page in pages for one in page.snapshots),
        current_id=pages[-1].current_snapshot_id,
    )


def activated(response: admin_pb2.ActivateSnapshotResponse) -> Activated:
    """Read what a swap has done."""
    return Activated(_snapshot(response.snapshot), response.replaced_snapshot_id)


def stock_update(response: admin_pb2.UpdateAvailabilityResponse) -> StockUpdate:
    """Read what became of changes of stock."""
    return StockUpdate(
        applied_count=response.applied_count,
        ignored_count=response.ignored_count,
        failures={one.change_index: entry_error(one.status) for one in response.failures},
    )


def _snapshot(message: admin_pb2.SnapshotInfo) -> SnapshotInfo:
    return SnapshotInfo(
        snapshot_id=message.snapshot_id,
        created_at=_at(message.created_at),
        item_count=message.item_count,
        spaces=tuple(_space(space) for space in message.spaces),
        format_version=message.format_version,
        size_bytes=message.size_bytes,
    )


def _space(message: admin_pb2.SpaceInfo) -> SpaceInfo:
    relations = (common_pb2.Relation.Name(relation) for relation in message.relations)
    return SpaceInfo(
        name=message.name,
        dim=message.dim,
        item_count=message.item_count,
        relations=tuple(word(name, "RELATION_") for name in relations),
        index_count=message.index_count,
        precomputed_count=message.precomputed_count,
    )


def _refused(message: admin_pb2.RefusedSnapshot) -> RefusedSnapshot:
    return RefusedSnapshot(message.snapshot_id, message.reason, _at(message.refused_at))


def _at(time: Timestamp) -> datetime:
    return time.ToDatetime(tzinfo=UTC)
