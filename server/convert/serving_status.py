"""The state of a worker as a response of the wire."""

from collections import Counter
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from artifacts.snapshot import Snapshot, SpaceEntry
from server.convert.enums import RELATIONS
from server.worker import Worker, WorkerState
from shelfmate.v1 import admin_pb2

STATES = {
    WorkerState.LOADING: admin_pb2.SERVING_STATE_LOADING,
    WorkerState.SERVING: admin_pb2.SERVING_STATE_SERVING,
    WorkerState.DRAINING: admin_pb2.SERVING_STATE_DRAINING,
}


def serving_status(worker: Worker) -> admin_pb2.GetServingStatusResponse:
    """Write what a worker serves."""
    response = admin_pb2.GetServingStatusResponse(
        state=STATES[worker.state],
        server_version=worker.identity.version,
        started_at=_timestamp(worker.identity.started_at),
        worker_pid=worker.identity.pid,
        worker_index=worker.identity.index,
    )
    if worker.activation is not None:
        recommender = worker.activation.recommender
        response.snapshot.CopyFrom(_snapshot_info(recommender.state.snapshot))
        response.activated_at.CopyFrom(_timestamp(worker.activation.at))
        response.serving_configs.extend(sorted(recommender.configs.serving))
    return response


def _snapshot_info(snapshot: Snapshot) -> admin_pb2.SnapshotInfo:
    manifest = snapshot.manifest
    return admin_pb2.SnapshotInfo(
        snapshot_id=snapshot.id,
        created_at=_timestamp(manifest.created_at),
        item_count=snapshot.contents.items,
        spaces=[_space_info(snapshot, entry) for entry in snapshot.contents.spaces],
        format_version=manifest.format_version,
        size_bytes=sum(record.size for record in manifest.files.values()),
    )


def _space_info(snapshot: Snapshot, space: SpaceEntry) -> admin_pb2.SpaceInfo:
    indices = [entry for entry in snapshot.contents.indices if entry.space == space.name]
    tables = [entry for entry in snapshot.contents.neighbors if entry.space == space.name]
    relations = Counter(entry.relation for entry in indices)
    return admin_pb2.SpaceInfo(
        name=space.name,
        dim=space.dim,
        item_count=space.items,
        relations=sorted(RELATIONS[relation] for relation in relations),
        index_count=len(indices),
        precomputed_count=sum(entry.items for entry in tables),
    )


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
