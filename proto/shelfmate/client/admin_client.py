"""The blocking client of those who run a host."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from shelfmate.client import admin_responses as responses
from shelfmate.client.access import PLAIN, Access
from shelfmate.client.admin_answers import Activated, ServingStatus, SnapshotList, StockUpdate
from shelfmate.client.channel import DEFAULT_TIMEOUT_S
from shelfmate.client.channel_set import ChannelSet
from shelfmate.client.stock_change import StockChange, stock_request
from shelfmate.v1 import admin_pb2, admin_pb2_grpc

ACTIVATION_TIMEOUT_S = 60.0
LARGEST_PAGE = 100


class AdminClient:
    """Looks at a host and steers it; safe to use from several threads.

    What is changed is changed in all workers of the host. Every method raises `CallError` when its call
    fails; of calls that change something none is sent again that a server took on.

    Args:
        target: where the admin service listens, `host:port` or any other gRPC target.
        timeout_s: deadline of calls that set none.
        access: encryption, credentials and request ids; its `admin_target` is of no matter here.
    """

    def __init__(
        self, target: str, *, timeout_s: float = DEFAULT_TIMEOUT_S, access: Access = PLAIN
    ) -> None:
        self._timeout_s = timeout_s
        self._channels = ChannelSet(target, 1, access)
        self._stub = admin_pb2_grpc.AdminServiceStub(self._channels)  # type: ignore[call-overload]  # as a channel

    def status(self, *, timeout_s: float | None = None) -> ServingStatus:
        """Return what the worker serves that the connection leads to."""
        request = admin_pb2.GetServingStatusRequest()
        answer = self._stub.GetServingStatus(request, timeout=self._seconds(timeout_s))
        return responses.serving_status(answer)

    def snapshots(self, *, timeout_s: float | None = None) -> SnapshotList:
        """Return what the host could serve, and what its pointer names.

        Args:
            timeout_s: deadline in seconds, of each page.
        """
        seconds = self._seconds(timeout_s)
        request = admin_pb2.ListSnapshotsRequest(page_size=LARGEST_PAGE)
        pages = [self._stub.ListSnapshots(request, timeout=seconds)]
        while pages[-1].next_page_token:
            request.page_token = pages[-1].next_page_token
            pages.append(self._stub.ListSnapshots(request, timeout=seconds))
        return responses.snapshot_list(pages)

    def activate(self, snapshot_id: str, *, timeout_s: float = ACTIVATION_TIMEOUT_S) -> Activated:
        """Put a snapshot in service; an older one rolls back.

        Args:
            snapshot_id: a snapshot of the host.
            timeout_s: seconds to wait until all workers serve it; it goes on all the same.
        """
        request = admin_pb2.ActivateSnapshotRequest(snapshot_id=snapshot_id)
        return responses.activated(self._stub.ActivateSnapshot(request, timeout=timeout_s))

    def update_stock(
        self, changes: Sequence[StockChange], *, timeout_s: float | None = None
    ) -> StockUpdate:
        """Tell what came into stock and what went out of it.

        Args:
            changes: 1 to 10,000 changes, in any order.
            timeout_s: deadline in seconds.
        """
        request = stock_request(changes)
        answer = self._stub.UpdateAvailability(request, timeout=self._seconds(timeout_s))
        return responses.stock_update(answer)

    def close(self) -> None:
        """Close the connection; calls in flight are cancelled."""
        self._channels.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _seconds(self, timeout_s: float | None) -> float:
        return self._timeout_s if timeout_s is None else timeout_s
