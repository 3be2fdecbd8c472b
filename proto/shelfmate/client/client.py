"""The blocking client."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from shelfmate.client import requests, responses
from shelfmate.client.access import PLAIN, Access
from shelfmate.client.admin_answers import ServingStatus
from shelfmate.client.admin_client import AdminClient
from shelfmate.client.answers import Answers, EntryError, Item
from shelfmate.client.channel import DEFAULT_TIMEOUT_S
from shelfmate.client.channel_set import ChannelSet
from shelfmate.client.ranking import CandidateList, RankedLists, ranked_lists, rerank_request
from shelfmate.client.requests import DEFAULT_OPTIONS, Near, NewItem, Options, Source
from shelfmate.client.visits import Shopper, Strategy, Visits
from shelfmate.v1 import recommender_pb2_grpc


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
        self._channels = ChannelSet(target, connections, access)
        self._admin = AdminClient(access.admin_target or target, timeout_s=timeout_s, access=access)
        self._recommender = recommender_pb2_grpc.RecommenderServiceStub(self._channels)  # type: ignore[call-overload]  # as a channel

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
        answer = self._recommender.RecommendSimilar(request, timeout=self._seconds(timeout_s))
        return responses.answers(answer)

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
        answer = self._recommender.SearchNeighbors(request, timeout=self._seconds(timeout_s))
        return responses.answers(answer)

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
        answer = self._recommender.RecommendForSession(request, timeout=self._seconds(timeout_s))
        return responses.answers(answer)

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
        answer = self._recommender.RecommendForUser(request, timeout=self._seconds(timeout_s))
        return responses.answers(answer)

    def rerank(
        self,
        lists: Sequence[CandidateList],
        options: Options = DEFAULT_OPTIONS,
        *,
        contributions: bool = False,
        timeout_s: float | None = None,
    ) -> RankedLists:
        """Return candidates in the order of the server's ranking model.

        Args:
            lists: 1 to 1,000 lists of candidates.
            options: serving config, visitor and partial answers alone have a part in it.
            contributions: say what each feature added to each score.
            timeout_s: deadline in seconds.
        """
        request = rerank_request(lists, options, contributions=contributions)
        answer = self._recommender.Rerank(request, timeout=self._seconds(timeout_s))
        return ranked_lists(answer)

    def items(
        self, item_ids: Sequence[str], *, timeout_s: float | None = None
    ) -> list[Item | EntryError]:
        """Return catalogue attributes of 1 to 1,000 items."""
        request = requests.items_request(item_ids)
        answer = self._recommender.GetItems(request, timeout=self._seconds(timeout_s))
        return responses.items(answer)

    def status(self, *, timeout_s: float | None = None) -> ServingStatus:
        """Return what the server serves; see `AdminClient` for what else may be asked of a host."""
        return self._admin.status(timeout_s=timeout_s)

    def close(self) -> None:
        """Close the connection; calls in flight are cancelled."""
        self._channels.close()
        self._admin.close()

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
