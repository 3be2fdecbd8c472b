"""The blocking client."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

import grpc

from shelfmate.client import requests, responses
from shelfmate.client.answers import Answers, EntryError, Item, ServingStatus
from shelfmate.client.call_error import call_error
from shelfmate.client.channel import CHANNEL_OPTIONS
from shelfmate.client.requests import DEFAULT_OPTIONS, Near, NewItem, Options, Source
from shelfmate.v1 import admin_pb2, admin_pb2_grpc, recommender_pb2_grpc

T = TypeVar("T")

DEFAULT_TIMEOUT_S = 1.0


class Client:
    """Asks a server and waits for its answers; safe to use from several threads.

    Every method raises `CallError` when the call as a whole fails.

    Args:
        target: `host:port`, or any other gRPC target.
        timeout_s: deadline of calls that set none, retries included.
    """

    def __init__(self, target: str, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._channel = grpc.insecure_channel(target, options=CHANNEL_OPTIONS)
        self._recommender = recommender_pb2_grpc.RecommenderServiceStub(self._channel)
        self._admin = admin_pb2_grpc.AdminServiceStub(self._channel)

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
        self._channel.close()

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
