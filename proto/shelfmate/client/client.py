"""The blocking client."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

import grpc

from shelfmate.client import requests, responses
from shelfmate.client.access import PLAIN, Access
from shelfmate.client.answers import Answers, EntryError, Item, ServingStatus
from shelfmate.client.call_error import call_error
from shelfmate.client.channel_set import ChannelSet
from shelfmate.client.requests import DEFAULT_OPTIONS, Near, NewItem, Options, Source
from shelfmate.client.restraint import Restraint
from shelfmate.client.visits import Shopper, Strategy, Visits
from shelfmate.v1 import admin_pb2, admin_pb2_grpc, recommender_pb2_grpc

T = TypeVar("T")

DEFAULT_TIMEOUT_S = 1.0


class Client:
    """Asks a server and waits for its answers; safe to use from several threads.

    Every method raises `CallError` when the call as a whole fails.

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
        self._channels = ChannelSet(target, connections, access, _restraint())
        self._admin_channels = ChannelSet(access.admin_target or target, 1, access, _restraint())
        self._recommender = recommender_pb2_grpc.RecommenderServiceStub(self._channels)  # type: ignore[call-overload]  # as a channel
        self._admin = admin_pb2_grpc.AdminServiceStub(self._admin_channels)  # type: ignore[call-overload]  # as a channel

    def similar(
        self,
        item_ids: Sequence[str],
        options: Options = DEFAULT_OPTIONS,
        *,
        sources: Sequence[Source] = (),
        new_items: Mapping[str, NewItem] | None = None,
        timeout_s: float | None = None,
    ) -> Answers:
        """Return products like products.

        Args:
            item_ids: 1 to 1,000 products.
            options: how they are to be answered.
            sources: tried in this order; empty for the serving config's.
            new_items: what is known of products that the snapshot may not know, by id.
            timeout_s: deadline in seconds.
        """
        request = requests.similar_request(item_ids, options, sources=sources, new_items=new_items)
        timeout_s = self._seconds(timeout_s)
        send = self._recommender.RecommendSimilar
        return responses.answers(_sent(lambda: send(request, timeout=timeout_s)))

    def neighbors(
        self,
        near: Sequence[Near],
        options: Options = DEFAULT_OPTIONS,
        *,
        space: str = "",
        exact: bool = False,
        timeout_s: float | None = None,
    ) -> Answers:
        """Return nearest neighbours.

        Args:
            near: 1 to 1,000 item ids, vectors, or mappings of item ids to weights.
            options: how they are to be answered.
            space: space to search; empty for the serving config's.
            exact: compare with every vector instead of asking an index.
            timeout_s: deadline in seconds.
        """
        request = requests.neighbors_request(near, options, space=space, exact=exact)
        timeout_s = self._seconds(timeout_s)
        send = self._recommender.SearchNeighbors
        return responses.answers(_sent(lambda: send(request, timeout=timeout_s)))

    def sessions(
        self,
        sessions: Sequence[Visits],
        options: Options = DEFAULT_OPTIONS,
        *,
        strategy: Strategy | None = None,
        timeout_s: float | None = None,
    ) -> Answers:
        """Return products for what was just visited.

        Args:
            sessions: 1 to 1,000 shoppers' visits, each 1 to 1,000 item ids or `Visit`s, oldest first.
            options: how they are to be answered.
            strategy: how visits become recommendations; none for the serving config's.
            timeout_s: deadline in seconds.
        """
        request = requests.sessions_request(sessions, options, strategy=strategy)
        timeout_s = self._seconds(timeout_s)
        send = self._recommender.RecommendForSession
        return responses.answers(_sent(lambda: send(request, timeout=timeout_s)))

    def users(
        self,
        shoppers: Sequence[str | Shopper],
        options: Options = DEFAULT_OPTIONS,
        *,
        timeout_s: float | None = None,
    ) -> Answers:
        """Return products for shoppers.

        Args:
            shoppers: 1 to 1,000 user ids, or `Shopper`s with their visits.
            options: how they are to be answered.
            timeout_s: deadline in seconds.
        """
        request = requests.users_request(shoppers, options)
        timeout_s = self._seconds(timeout_s)
        send = self._recommender.RecommendForUser
        return responses.answers(_sent(lambda: send(request, timeout=timeout_s)))

    def items(
        self, item_ids: Sequence[str], *, timeout_s: float | None = None
    ) -> list[Item | EntryError]:
        """Return catalogue attributes of 1 to 1,000 items."""
        request = requests.items_request(item_ids)
        timeout_s = self._seconds(timeout_s)
        send = self._recommender.GetItems
        return responses.items(_sent(lambda: send(request, timeout=timeout_s)))

    def status(self, *, timeout_s: float | None = None) -> ServingStatus:
        """Return what the server serves."""
        request = admin_pb2.GetServingStatusRequest()
        timeout_s = self._seconds(timeout_s)
        send = self._admin.GetServingStatus
        return responses.serving_status(_sent(lambda: send(request, timeout=timeout_s)))

    def close(self) -> None:
        """Close the connection; calls in flight are cancelled."""
        self._channels.close()
        self._admin_channels.close()

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


def _sent(send: Callable[[], T]) -> T:
    try:
        return send()
    except grpc.RpcError as error:
        raise call_error(error) from error


def _restraint() -> Restraint:
    return Restraint(time.monotonic, random.random)
