"""The asynchronous client of those who run a host."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from shelfmate.client import admin_responses as responses
from shelfmate.client.access import PLAIN, Access
from shelfmate.client.admin_answers import Activated, ServingStatus, SnapshotList, StockUpdate
from shelfmate.client.admin_client import ACTIVATION_TIMEOUT_S, LARGEST_PAGE
from shelfmate.client.async_channel_set import AsyncChannelSet
from shelfmate.client.channel import DEFAULT_TIMEOUT_S
from shelfmate.client.stock_change import StockChange, stock_request
from shelfmate.v1 import admin_pb2, admin_pb2_grpc


class AsyncAdminClient:
    """Looks at a host and steers it without blocking the event loop that it was made in.

    Its methods are those of `AdminClient`, to be awaited, and raise `CallError` as they do.

    Args:
        target: where the admin service listens, `host:port` or any other gRPC target.
        timeout_s: deadline of calls that set none.
        access: encryption, credentials and request ids; its `admin_target` is of no matter here.
    """

    def __init__(
        self, target: str, *, timeout_s: float = DEFAULT_TIMEOUT_S, access: Access = PLAIN
    ) -> None:
        self._timeout_s = timeout_s
        self._channels = AsyncChannelSet(target, 1, access)
        self._stub = admin_pb2_grpc.AdminServiceStub(self._channels)  # type: ignore[call-overload]  # as a channel

    async def status(self, *, timeout_s: float | None = None) -> ServingStatus:
        """Return what the worker serves that the connection leads to."""
        request = admin_pb2.GetServingStatusRequest()
        answer = await self._stub.GetServingStatus(request, timeout=self._seconds(timeout_s))
        return responses.serving_status(answer)

    async def snapshots(self, *, timeout_s: float | None = None) -> SnapshotList:
        """Return what the host could serve; see `AdminClient.snapshots`."""
        seconds = self._seconds(timeout_s)
        request = admin_pb2.ListSnapshotsRequest(page_size=LARGEST_PAGE)
        pages = [await self._stub.ListSnapshots(request, timeout=seconds)]
        while pages[-1].next_page_token:
            request.page_token = pages[-1].next_page_token
            pages.append(await self._stub.ListSnapshots(request, timeout=seconds))
        return responses.snapshot_list(pages)

    async def activate(
        self, snapshot_id: str, *, timeout_s: float = ACTIVATION_TIMEOUT_S
    ) -> Activated:
        """Put a snapshot in service; see `AdminClient.activate`."""
        request = admin_pb2.ActivateSnapshotRequest(snapshot_id=snapshot_id)
        return responses.activated(await self._stub.ActivateSnapshot(request, timeout=timeout_s))

    async def update_stock(
        self, changes: Sequence[StockChange], *, timeout_s: float | None = None
    ) -> StockUpdate:
        """Tell what came into stock and what went out of it; see `AdminClient.update_stock`."""
        request = stock_request(changes)
        answer = await self._stub.UpdateAvailability(request, timeout=self._seconds(timeout_s))
        return responses.stock_update(answer)

    async def close(self) -> None:
        """Close the connection; calls in flight are cancelled."""
        await self._channels.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _seconds(self, timeout_s: float | None) -> float:
        return self._timeout_s if timeout_s is None else timeout_s
