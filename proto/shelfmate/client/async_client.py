"""The asynchronous client."""

import random
import time
from collections.abc import Awaitable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

import grpc

from shelfmate.client import requests, responses
from shelfmate.client.access import PLAIN, Access
from shelfmate.client.answers import Answers, EntryError, Item, ServingStatus
from shelfmate.client.async_channel_set import AsyncChannelSet
from shelfmate.client.call_error import call_error
from shelfmate.client.client import DEFAULT_TIMEOUT_S
from shelfmate.client.requests import DEFAULT_OPTIONS, Near, NewItem, Options, Source
from shelfmate.client.restraint import Restraint
from shelfmate.client.visits import Shopper, Strategy, Visits
from shelfmate.v1 import admin_pb2, admin_pb2_grpc, recommender_pb2_grpc

T = TypeVar("T")


class AsyncClient:
    """Asks a server without blocking the event loop that it was made in.

    Its methods are those of `Client`, to be awaited, and raise `CallError` as they do.

    Args:
        target: `host:port`, or any other gRPC target.
        timeout_s: deadline of calls that set none, waiting and retries included.
        connections: how many there are to the target; as many as the server has workers, or more, so
            that all of them get calls.
        access: encryption, credentials, request ids, and where the admin service listens.
    """

    def __init__(
        self,
        target: str,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        connections: int = 1,
        access: Access = PLAIN,
    ) -> None:
        self._timeout_s = timeout_s
        self._channels = AsyncChannelSet(target, connections, access, _restraint())
        self._admin_channels = AsyncChannelSet(
            access.admin_target or target, 1, access, _restraint()
        )
        self._recommender = recommender_pb2_grpc.RecommenderServiceStub(self._channels)  # type: ignore[call-overload]  # as a channel
        self._admin = admin_pb2_grpc.AdminServiceStub(self._admin_channels)  # type: ignore[call-overload]  # as a channel

    async def similar(
        self,
        item_ids: Sequence[str],
        options: Options = DEFAULT_OPTIONS,
        *,
        sources: Sequence[Source] = (),
        new_items: Mapping[str, NewItem] | None = None,
        timeout_s: float | None = None,
    ) -> Answers:
        """Return products like products; see `Client.similar`."""
        request = requests.similar_request(item_ids, options, sources=sources, new_items=new_items)
        call = self._recommender.RecommendSimilar(request, timeout=self._seconds(timeout_s))
        return responses.answers(await _answered(call))

    async def neighbors(
        self,
        near: Sequence[Near],
        options: Options = DEFAULT_OPTIONS,
        *,
        space: str = "",
        exact: bool = False,
        timeout_s: float | None = None,
    ) -> Answers:
        """Return nearest neighbours; see `Client.neighbors`."""
        request = requests.neighbors_request(near, options, space=space, exact=exact)
        call = self._recommender.SearchNeighbors(request, timeout=self._seconds(timeout_s))
        return responses.answers(await _answered(call))

    async def sessions(
        self,
        sessions: Sequence[Visits],
        options: Options = DEFAULT_OPTIONS,
        *,
        strategy: Strategy | None = None,
        timeout_s: float | None = None,
    ) -> Answers:
        """Return products for what was just visited; see `Client.sessions`."""
        request = requests.sessions_request(sessions, options, strategy=strategy)
        call = self._recommender.RecommendForSession(request, timeout=self._seconds(timeout_s))
        return responses.answers(await _answered(call))

    async def users(
        self,
        shoppers: Sequence[str | Shopper],
        options: Options = DEFAULT_OPTIONS,
        *,
        timeout_s: float | None = None,
    ) -> Answers:
        """Return products for shoppers; see `Client.users`."""
        request = requests.users_request(shoppers, options)
        call = self._recommender.RecommendForUser(request, timeout=self._seconds(timeout_s))
        return responses.answers(await _answered(call))

    async def items(
        self, item_ids: Sequence[str], *, timeout_s: float | None = None
    ) -> list[Item | EntryError]:
        """Return catalogue attributes of 1 to 1,000 items."""
        request = requests.items_request(item_ids)
        call = self._recommender.GetItems(request, timeout=self._seconds(timeout_s))
        return responses.items(await _answered(call))

    async def status(self, *, timeout_s: float | None = None) -> ServingStatus:
        """Return what the server serves."""
        request = admin_pb2.GetServingStatusRequest()
        call = self._admin.GetServingStatus(request, timeout=self._seconds(timeout_s))
        return responses.serving_status(await _answered(call))

    async def close(self) -> None:
        """Close the connection; calls in flight are cancelled."""
        await self._channels.close()
        await self._admin_channels.close()

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


async def _answered(call: Awaitable[T]) -> T:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise call_error(error) from error


def _restraint() -> Restraint:
    return Restraint(time.monotonic, random.random)
