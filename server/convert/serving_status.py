"""The state of a worker as a response of the wire."""

from server.convert.snapshots import snapshot_info
from server.convert.times import timestamp
from server.worker import Worker, WorkerState
from shelfmate.v1 import admin_pb2

STATES = {
    WorkerState.LOADING: admin_pb2.SERVING_STATE_LOADING,
    WorkerState.SERVING: admin_pb2.SERVING_STATE_SERVING,
    WorkerState.DRAINING: admin_pb2.SERVING_STATE_DRAINING,
}


def serving_status(worker: Worker) -> admin_pb2.GetServingStatusResponse:
    """Write what a worker serves, and what it refused."""
    response = admin_pb2.GetServingStatusResponse(
        state=STATES[worker.state],
        server_version=worker.identity.version,
        started_at=timestamp(worker.identity.started_at),
        worker_pid=worker.identity.pid,
        worker_index=worker.identity.index,
    )
    if worker.activation is not None:
        recommender = worker.activation.recommender
        snapshot = recommender.state.snapshot
        response.snapshot.CopyFrom(snapshot_info(snapshot.manifest, snapshot.contents))
        response.activated_at.CopyFrom(timestamp(worker.activation.at))
        response.serving_configs.extend(sorted(recommender.configs.serving))
    if worker.refusal is not None:
        response.refused.snapshot_id = worker.refusal.snapshot_id
        response.refused.reason = worker.refusal.reason
        response.refused.refused_at.CopyFrom(timestamp(worker.refusal.at))
    return response
