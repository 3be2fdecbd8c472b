"""Calls that go on while something happens to the host that answers them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

import grpc

from shelfmate.client import Access, AsyncClient, CallError
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.host_channels import OWN_CONNECTION

Ask: TypeAlias = Callable[[], Awaitable[str]]
"""Makes one call and returns the id of the snapshot that answered."""

CALLERS = 8
PATIENCE_S = 60.0


class Load:
    """Callers that ask one thing after the other.

    Attributes:
        answers: answers by the snapshot that gave them.
        failures: failed calls by their code.
    """

    def __init__(self, asks: list[Ask]) -> None:
        self._asks = asks
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = asyncio.Condition()
        self.answers: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to ask."""
        self._tasks = [asyncio.ensure_future(self._go_on(ask)) for ask in self._asks]

    async def stop(self) -> None:
        """Ask no more, and wait for what is in flight."""
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError | None):
                raise outcome

    async def more(self, count: int) -> None:
        """Wait for so many further answers."""
        wanted = self.answers.total() + count
        await self._until(lambda: self.answers.total() >= wanted)

    async def more_failures(self, count: int) -> None:
        """Wait for so many further calls that fail."""
        wanted = self.failures.total() + count
        await self._until(lambda: self.failures.total() >= wanted)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), self._ended:
            await self._ended.wait_for(condition)

    async def _go_on(self, ask: Ask) -> None:
        while True:
            try:
                self.answers[await ask()] += 1
            except grpc.aio.AioRpcError as error:
                self.failures[error.code().name] += 1
            except CallError as error:
                self.failures[error.code] += 1
            async with self._ended:
                self._ended.notify_all()


@asynccontextmanager
async def load_of(asks: list[Ask]) -> AsyncIterator[Load]:
    """Keep callers asking."""
    load = Load(asks)
    load.start()
    try:
        yield load
    finally:
        await load.stop()


@asynccontextmanager
async def plain_load(target: str) -> AsyncIterator[Load]:
    """Keep callers asking who have a connection each and never ask again what failed."""
    async with AsyncExitStack() as stack:
        asks = []
        for number in range(CALLERS):
            channel = await stack.enter_async_context(
                grpc.aio.insecure_channel(target, options=OWN_CONNECTION)
            )
            stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
            asks.append(_searching(stub) if number % 2 else _looking_up(stub))
        yield await stack.enter_async_context(load_of(asks))


@asynccontextmanager
async def client_load(target: str) -> AsyncIterator[Load]:
    """Keep callers asking who use the client that is shipped."""
    async with AsyncClient(target, connections=4, access=Access(), timeout_s=20) as client:

        async def ask() -> str:
            return (await client.similar(["item-0000"])).snapshot_id

        async with load_of([ask] * CALLERS) as load:
            yield load


def _looking_up(stub: "recommender_pb2_grpc.RecommenderServiceAsyncStub") -> Ask:
    request = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id="item-0000")])

    async def ask() -> str:
        response = await stub.RecommendSimilar(request, timeout=20)
        assert response.outcomes[0].recommendations.items
        return response.info.snapshot_id

    return ask


def _searching(stub: "recommender_pb2_grpc.RecommenderServiceAsyncStub") -> Ask:
    request = pb.SearchNeighborsRequest(requests=[pb.NeighborQuery(item_id="item-0000")] * 5)

    async def ask() -> str:
        response = await stub.SearchNeighbors(request, timeout=20)
        assert response.outcomes[4].recommendations.items
        return response.info.snapshot_id

    return ask
