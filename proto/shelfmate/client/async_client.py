"""The asynchronous client."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from shelfmate.client import requests, responses
from shelfmate.client.access import PLAIN, Access
from shelfmate.client.admin_answers import ServingStatus
from shelfmate.client.answers import Answers, EntryError, Item
from shelfmate.client.async_admin_client import AsyncAdminClient
from shelfmate.client.async_channel_set import AsyncChannelSet
from shelfmate.client.channel import DEFAULT_TIMEOUT_S
from shelfmate.client.ranking import CandidateList, RankedLists, ranked_lists, rerank_request
from shelfmate.client.requests import DEFAULT_OPTIONS, Near, NewItem, Options, Source
from shelfmate.client.visits import Shopper, Strategy, Visits
from shelfmate.v1 import recommender_pb2_grpc


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
        self._channels = AsyncChannelSet(target, connections, access)
        self._admin = AsyncAdminClient(
            access.admin_target or target, timeout_s=timeout_s, access=access
        )
        self._recommender = recommender_pb2_grpc.RecommenderServiceStub(self._channels)  # type: ignore[call-overload]  # as a channel

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
        answer = await self._recommender.RecommendSimilar(request, timeout=self._seconds(timeout_s))
        return responses.answers(answer)

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
        answer = await self._recommender.SearchNeighbors(request, timeout=self._seconds(timeout_s))
        return responses.answers(answer)

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
        answer = await self._recommender.RecommendForSession(
            request, timeout=self._seconds(timeout_s)
        )
        return responses.answers(answer)

    async def users(
        self,
        shoppers: Sequence[str | Shopper],
        options: Options = DEFAULT_OPTIONS,
        *,
        timeout_s: float | None = None,
    ) -> Answers:
        """Return products for shoppers; see `Client.users`."""
        request = requests.users_request(shoppers, options)
        answer = await self._recommender.RecommendForUser(request, timeout=self._seconds(timeout_s))
        return responses.answers(answer)

    async def rerank(
        self,
        lists: Sequence[CandidateList],
        options: Options = DEFAULT_OPTIONS,
        *,
        contributions: bool = False,
        timeout_s: float | None = None,
    ) -> RankedLists:
        """Return candidates in the order of the server's ranking model; see `Client.rerank`."""
        request = rerank_request(lists, options, contributions=contributions)
        answer = await self._recommender.Rerank(request, timeout=self._seconds(timeout_s))
        return ranked_lists(answer)

    async def items(
        self, item_ids: Sequence[str], *, timeout_s: float | None = None
    ) -> list[Item | EntryError]:
        """Return catalogue attributes of 1 to 1,000 items."""
        request = requests.items_request(item_ids)
        answer = await self._recommender.GetItems(request, timeout=self._seconds(timeout_s))
        return responses.items(answer)

    async def status(self, *, timeout_s: float | None = None) -> ServingStatus:
        """Return what the server serves; see `AsyncAdminClient` for what else may be asked of a host."""
        return await self._admin.status(timeout_s=timeout_s)

    async def close(self) -> None:
        """Close the connection; calls in flight are cancelled."""
        await self._channels.close()
        await self._admin.close()

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
