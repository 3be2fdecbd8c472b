"""`AdminService`: what is served, and later how it is steered."""

from typing import NoReturn, TypeAlias

import grpc

from artifacts.errors import NotBuiltError
from server.convert import serving_status
from server.status import abort
from server.worker import Worker
from shelfmate.v1 import admin_pb2 as pb
from shelfmate.v1 import admin_pb2_grpc

Context: TypeAlias = grpc.aio.ServicerContext[object, object]


class AdminService(admin_pb2_grpc.AdminServiceServicer):
    """Answers at any time, also while a snapshot loads and while the worker drains."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def GetServingStatus(
        self, request: pb.GetServingStatusRequest, context: Context
    ) -> pb.GetServingStatusResponse:
        """Say what the worker serves."""
        return serving_status(self._worker)

    async def ListSnapshots(
        self, request: pb.ListSnapshotsRequest, context: Context
    ) -> pb.ListSnapshotsResponse:
        """Refuse: not built yet."""
        await _refuse(context, "ListSnapshots: this release does not list snapshots yet")

    async def ActivateSnapshot(
        self, request: pb.ActivateSnapshotRequest, context: Context
    ) -> pb.ActivateSnapshotResponse:
        """Refuse: not built yet."""
        await _refuse(context, "ActivateSnapshot: this release serves the snapshot it started with")

    async def UpdateAvailability(
        self, request: pb.UpdateAvailabilityRequest, context: Context
    ) -> pb.UpdateAvailabilityResponse:
        """Refuse: not built yet."""
        await _refuse(context, "UpdateAvailability: this release does not know availability yet")


async def _refuse(context: Context, message: str) -> NoReturn:
    await abort(context, NotBuiltError(message))
