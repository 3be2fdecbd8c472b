"""`AdminService`: what is served, and how it is steered."""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import grpc

from artifacts.errors import RequestError
from server.convert import serving_status
from server.convert.availability import availability_response, stock_changes
from server.convert.snapshots import snapshot_info, snapshots_response
from server.status import abort
from server.upkeep import Upkeep
from server.worker import Worker
from shelfmate.v1 import admin_pb2 as pb
from shelfmate.v1 import admin_pb2_grpc

Context: TypeAlias = grpc.aio.ServicerContext[object, object]
Request = TypeVar("Request")
Response = TypeVar("Response")
Method: TypeAlias = Callable[["AdminService", Request, Context], Awaitable[Response]]


def _call(handler: Method[Request, Response]) -> Method[Request, Response]:
    """Turn what a call raises into a status."""

    @functools.wraps(handler)
    async def method(self: "AdminService", request: Request, context: Context) -> Response:
        try:
            return await handler(self, request, context)
        except Exception as error:
            await abort(context, error)

    return method


class AdminService(admin_pb2_grpc.AdminServiceServicer):
    """Answers at any time, also while a snapshot loads and while the worker drains."""

    def __init__(self, worker: Worker, upkeep: Upkeep) -> None:
        self._worker = worker
        self._upkeep = upkeep

    @_call
    async def GetServingStatus(
        self, request: pb.GetServingStatusRequest, context: Context
    ) -> pb.GetServingStatusResponse:
        """Say what the worker serves."""
        return serving_status(self._worker)

    @_call
    async def ListSnapshots(
        self, request: pb.ListSnapshotsRequest, context: Context
    ) -> pb.ListSnapshotsResponse:
        """List what could be served."""
        return await asyncio.to_thread(snapshots_response, self._upkeep.snapshots, request)

    @_call
    async def ActivateSnapshot(
        self, request: pb.ActivateSnapshotRequest, context: Context
    ) -> pb.ActivateSnapshotResponse:
        """Serve a snapshot in all workers of the host."""
        if not request.snapshot_id:
            message = "snapshot_id: expected the id of a snapshot, got an empty one"
            raise RequestError(message, field="snapshot_id", reason="EMPTY_ID")
        replaced = await self._upkeep.activate(request.snapshot_id)
        assert self._worker.activation is not None, "bug: activated, and nothing is in service"
        snapshot = self._worker.activation.recommender.state.snapshot
        return pb.ActivateSnapshotResponse(
            snapshot=snapshot_info(snapshot.manifest, snapshot.contents),
            replaced_snapshot_id=replaced,
        )

    @_call
    async def UpdateAvailability(
        self, request: pb.UpdateAvailabilityRequest, context: Context
    ) -> pb.UpdateAvailabilityResponse:
        """Keep changes of stock, for all workers of the host."""
        read = stock_changes(request, now_ns=time.time_ns())
        applied = await self._upkeep.update_stock(read.changes) if read.changes else 0
        return availability_response(read, applied=applied)
