"""`RecommenderService`: validate, call, convert; no logic."""

import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message

from artifacts.errors import DeadlineError
from retrieval.deadline import Deadline
from retrieval.recommender import Recommender
from server.begun_call import SESSIONS, USERS, B, Terms, TwoHalves
from server.convert import (
    Report,
    answer_bytes,
    items_response,
    neighbor_batch,
    rerank_batch,
    rerank_bytes,
    similar_batch,
)
from server.limits import check_size, within
from server.observation.call_record import current_call
from server.search_queue import Need, SearchQueue, Steps
from server.security.config import LimitsConfig
from server.status import abort
from server.worker import Worker
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc

Context: TypeAlias = grpc.aio.ServicerContext[object, object]
Request = TypeVar("Request", bound=Message)
VisitRequest = TypeVar("VisitRequest", pb.RecommendForSessionRequest, pb.RecommendForUserRequest)
Method: TypeAlias = Callable[["RecommenderService", Request, Context], Awaitable[Any]]
"""What is registered; it answers with a message, or with the bytes of one."""
Handler: TypeAlias = Callable[
    ["RecommenderService", Request, Context, Recommender], Awaitable[Message | bytes]
]

PARTIAL_SHARE = 0.9
"""Share of the time left after which a caller who takes partial answers gets one, so that it
arrives before the deadline does."""

FEW_VISITS = 64
"""Visits of a call up to which sessions are begun on the event loop: a millisecond of look-ups."""


def _call(handler: Handler[Request]) -> Method[Request]:
    """Count a call, give it one snapshot, and turn what it raises into a status."""

    @functools.wraps(handler)
    async def method(self: "RecommenderService", request: Request, context: Context) -> Any:
        try:
            recommender = self.worker.begin_call()
        except Exception as error:
            await abort(context, error)
        self.worker.recorded.offer(request)
        try:
            return await handler(self, request, context, recommender)
        except Exception as error:
            await abort(context, error)
        finally:
            self.worker.end_call()

    return method


class RecommenderService(recommender_pb2_grpc.RecommenderServiceServicer):
    """Answers from the worker's snapshot.

    Look-ups are done at once, on the event loop; searches, and writing down what they found, on
    the threads of `searches`. Answers come as bytes of the wire (`server.convert.fields`).
    """

    def __init__(self, worker: Worker, searches: SearchQueue, limits: LimitsConfig) -> None:
        self.worker = worker
        self._searches = searches
        self._limits = limits

    @_call
    async def RecommendSimilar(
        self,
        request: pb.RecommendSimilarRequest,
        context: Context,
        recommender: Recommender,
    ) -> bytes:
        """Recommend for products."""
        started = time.perf_counter_ns()
        left_s = context.time_remaining()
        if left_s is not None and left_s <= 0:
            raise DeadlineError("the deadline passed before `lookup`; send a longer one")
        batch, faults = within(self._limits, similar_batch(request))
        begun = recommender.begin_similar(batch, self._searches.effort)
        record = current_call()
        record.spent("lookup", started)
        report = Report(recommender.state, batch.call.debug, record.stages)
        if not begun.pending:
            return answer_bytes(record.note(begun.answer()), faults, report)

        def search() -> Steps[bytes]:
            started = time.perf_counter_ns()
            yield from begun.waiting()
            record.spent("search", started)
            return answer_bytes(record.note(begun.answer()), faults, report)

        deadline = _deadline(left_s, allow_partial=batch.call.allow_partial)
        need = Need(recommender.state, len(request.requests), deadline)
        return await self._searches.run(search(), need)

    @_call
    async def SearchNeighbors(
        self,
        request: pb.SearchNeighborsRequest,
        context: Context,
        recommender: Recommender,
    ) -> bytes:
        """Search near items, vectors or mixtures of items."""
        left_s = context.time_remaining()
        deadline = _deadline(left_s, allow_partial=request.call.allow_partial)
        record, effort = current_call(), self._searches.effort

        def search() -> Steps[bytes]:
            deadline.check("read")
            batch, faults = within(self._limits, neighbor_batch(request))
            started = time.perf_counter_ns()
            begun = recommender.begin_neighbors(batch, effort)
            yield from begun.waiting()
            record.spent("search", started)
            report = Report(recommender.state, batch.call.debug, record.stages)
            return answer_bytes(record.note(begun.answer()), faults, report)

        need = Need(recommender.state, max(len(request.requests), 1), deadline)
        return await self._searches.run(search(), need)

    @_call
    async def GetItems(
        self, request: pb.GetItemsRequest, context: Context, recommender: Recommender
    ) -> pb.GetItemsResponse:
        """Look up catalogue attributes."""
        _deadline(context.time_remaining()).check("lookup")
        check_size(len(request.item_ids), self._limits, path="item_ids")
        rows = recommender.item_rows(request.item_ids)
        current_call().entries = len(rows)
        return items_response(request.item_ids, rows, recommender.state)

    @_call
    async def RecommendForSession(
        self,
        request: pb.RecommendForSessionRequest,
        context: Context,
        recommender: Recommender,
    ) -> bytes:
        """Recommend for what was just visited."""
        return await self._in_halves(SESSIONS, request, context, recommender)

    @_call
    async def RecommendForUser(
        self, request: pb.RecommendForUserRequest, context: Context, recommender: Recommender
    ) -> bytes:
        """Recommend for shoppers."""
        return await self._in_halves(USERS, request, context, recommender)

    @_call
    async def Rerank(
        self, request: pb.RerankRequest, context: Context, recommender: Recommender
    ) -> bytes:
        """Order candidates, on a thread from the first field on: there may be many."""
        deadline = _deadline(_time_left(context), allow_partial=request.call.allow_partial)
        record, effort = current_call(), self._searches.effort

        def rank() -> Steps[bytes]:
            deadline.check("read")
            check_size(len(request.requests), self._limits, path="requests")
            batch, faults = rerank_batch(request)
            started = time.perf_counter_ns()
            begun = recommender.begin_rerank(batch, effort)
            yield from begun.waiting()
            record.spent("rerank", started)
            report = Report(recommender.state, batch.call.debug, record.stages)
            return rerank_bytes(record.note(begun.answer()), faults, report)

        need = Need(recommender.state, max(len(request.requests), 1), deadline)
        return await self._searches.run(rank(), need)

    async def _in_halves(
        self,
        rpc: TwoHalves[VisitRequest, B],
        request: VisitRequest,
        context: Context,
        recommender: Recommender,
    ) -> bytes:
        """Answer at once where look-ups are enough, else by way of the queue.

        A call with many visits is looked up there, too.
        """
        deadline = _deadline(_time_left(context), allow_partial=request.call.allow_partial)
        terms = Terms(self._searches.effort, self._limits, current_call())
        few = sum(len(query.visits) for query in request.requests) <= FEW_VISITS
        begun = rpc.start(request, recommender, terms) if few else None
        if begun is not None and not begun.pending:
            return begun.response()

        def search() -> Steps[bytes]:
            deadline.check("read")
            call = begun or rpc.start(request, recommender, terms)
            yield from call.waiting()
            return call.response()

        need = Need(recommender.state, max(len(request.requests), 1), deadline)
        return await self._searches.run(search(), need)


def _time_left(context: Context) -> float | None:
    """Return the seconds that the caller waits, None for ever.

    Raises:
        DeadlineError: none are left.
    """
    left_s: float | None = context.time_remaining()
    if left_s is not None and left_s <= 0:
        raise DeadlineError("the deadline passed before `lookup`; send a longer one")
    return left_s


def _deadline(left_s: float | None, *, allow_partial: bool = False) -> Deadline:
    """Return the caller's deadline, a little early where a partial answer is wanted by then."""
    if left_s is not None and allow_partial:
        left_s *= PARTIAL_SHARE
    return Deadline.after(left_s)
