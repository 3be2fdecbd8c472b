"""`RecommenderService`: validate, call, convert; no logic."""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias, TypeVar

import grpc

from artifacts.errors import DeadlineError, NotBuiltError
from retrieval.deadline import Deadline
from retrieval.recommender import Recommender
from server.convert import (
    Report,
    items_response,
    neighbor_batch,
    neighbor_response,
    similar_batch,
    similar_response,
)
from server.status import abort
from server.worker import Worker
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc

Context: TypeAlias = grpc.aio.ServicerContext[object, object]
Request = TypeVar("Request")
Response = TypeVar("Response")
R = TypeVar("R")
Method: TypeAlias = Callable[["RecommenderService", Request, Context], Awaitable[Response]]
Handler: TypeAlias = Callable[
    ["RecommenderService", Request, Context, Recommender], Awaitable[Response]
]

PARTIAL_SHARE = 0.9
"""Share of the time left after which a caller who takes partial answers gets one, so that it
arrives before the deadline does."""


def _call(handler: Handler[Request, Response]) -> Method[Request, Response]:
    """Count a call, give it one snapshot, and turn what it raises into a status."""

    @functools.wraps(handler)
    async def method(self: "RecommenderService", request: Request, context: Context) -> Response:
        try:
            recommender = self.worker.begin_call()
        except Exception as error:
            await abort(context, error)
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
    the threads of `pool`.
    """

    def __init__(self, worker: Worker, pool: ThreadPoolExecutor) -> None:
        self.worker = worker
        self._pool = pool

    @_call
    async def RecommendSimilar(
        self,
        request: pb.RecommendSimilarRequest,
        context: Context,
        recommender: Recommender,
    ) -> pb.RecommendSimilarResponse:
        """Recommend for products."""
        started = time.perf_counter_ns()
        left_s = context.time_remaining()
        if left_s is not None and left_s <= 0:
            raise DeadlineError("the deadline passed before `lookup`; send a longer one")
        batch, faults = similar_batch(request)
        begun = recommender.begin_similar(batch)
        timings = {"lookup": time.perf_counter_ns() - started}
        report = Report(recommender.state, batch.call.debug, timings)
        if not begun.pending:
            return similar_response(begun.answer(), faults, report)
        deadline = _deadline(left_s, allow_partial=batch.call.allow_partial)

        def search() -> pb.RecommendSimilarResponse:
            started = time.perf_counter_ns()
            begun.finish(deadline)
            timings["search"] = time.perf_counter_ns() - started
            return similar_response(begun.answer(), faults, report)

        return await self._off_loop(search, deadline)

    @_call
    async def SearchNeighbors(
        self,
        request: pb.SearchNeighborsRequest,
        context: Context,
        recommender: Recommender,
    ) -> pb.SearchNeighborsResponse:
        """Search near items, vectors or mixtures of items."""
        left_s = context.time_remaining()
        deadline = _deadline(left_s, allow_partial=request.call.allow_partial)

        def search() -> pb.SearchNeighborsResponse:
            deadline.check("read")
            batch, faults = neighbor_batch(request)
            started = time.perf_counter_ns()
            answer = recommender.neighbors(batch, deadline)
            timings = {"search": time.perf_counter_ns() - started}
            report = Report(recommender.state, batch.call.debug, timings)
            return neighbor_response(answer, faults, report)

        return await self._off_loop(search, deadline)

    @_call
    async def GetItems(
        self, request: pb.GetItemsRequest, context: Context, recommender: Recommender
    ) -> pb.GetItemsResponse:
        """Look up catalogue attributes."""
        _deadline(context.time_remaining()).check("lookup")
        rows = recommender.item_rows(request.item_ids)
        return items_response(request.item_ids, rows, recommender.state)

    @_call
    async def RecommendForSession(
        self,
        request: pb.RecommendForSessionRequest,
        context: Context,
        recommender: Recommender,
    ) -> pb.RecommendForSessionResponse:
        """Refuse: not built yet."""
        raise NotBuiltError("RecommendForSession: this release does not recommend for visits yet")

    @_call
    async def RecommendForUser(
        self, request: pb.RecommendForUserRequest, context: Context, recommender: Recommender
    ) -> pb.RecommendForUserResponse:
        """Refuse: not built yet."""
        raise NotBuiltError("RecommendForUser: this release does not recommend for users yet")

    @_call
    async def Rerank(
        self, request: pb.RerankRequest, context: Context, recommender: Recommender
    ) -> pb.RerankResponse:
        """Refuse: not built yet."""
        raise NotBuiltError("Rerank: this release does not have a ranker yet")

    async def _off_loop(self, work: Callable[[], R], deadline: Deadline) -> R:
        """Run `work` on a thread; if the caller goes away it stops before its next stage."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except asyncio.CancelledError:
            deadline.cancel()
            raise


def _deadline(left_s: float | None, *, allow_partial: bool = False) -> Deadline:
    """Return the caller's deadline, a little early where a partial answer is wanted by then."""
    if left_s is not None and allow_partial:
        left_s *= PARTIAL_SHARE
    return Deadline.after(left_s)
