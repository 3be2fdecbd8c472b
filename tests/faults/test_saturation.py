"""Three times as much as a server can do."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeAlias

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from retrieval.config import RetrievalConfig
from shelfmate.client.call_error import retry_after_s
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.open_loop import open_loop
from tests.serving import Child, serving

pytestmark = pytest.mark.faults

Send: TypeAlias = Callable[[], Awaitable[bytes]]

ENTRIES = 100
LASTS_S = 4.0
AT_ONCE = 8
SERVED_FIRST = 200
MOST_CALLS = 6_000
MOST_GROWTH = 256 << 20
"""Bytes; what is asked meanwhile is refused, and not kept."""

REFUSED = {"RESOURCE_EXHAUSTED", "CANCELLED"}
"""By us, and by gRPC itself should so much arrive that we do not see it (decision 0017)."""

SEARCH = pb.SearchNeighborsRequest(
    exact=True,
    defaults=common.AnswerOptions(k=50),
    requests=[pb.NeighborQuery(item_id="item-0000")] * ENTRIES,
).SerializeToString()
LOOK_UP = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id="item-0000")])


@pytest.fixture
def server(snapshots, tmp_path) -> Iterator[Child]:
    settings = {"search_threads": 1, "brown_out": {"enabled": False}}
    with serving(snapshots, tmp_path, RetrievalConfig(), **settings) as child:
        yield child


async def peak(send: Send) -> float:
    """Return how many calls a second are answered with some in flight all the time."""
    answered = 0

    async def go_on() -> None:
        nonlocal answered
        while answered < SERVED_FIRST:
            with contextlib.suppress(grpc.aio.AioRpcError):  # refused: that is no answer
                await send()
                answered += 1

    started = time.perf_counter()
    await asyncio.gather(*(go_on() for _ in range(AT_ONCE)))
    return answered / (time.perf_counter() - started)


async def codes_until(over: asyncio.Event, call: Callable[[], Awaitable[object]]) -> Counter[str]:
    """Make one call after the other until something is over, and count how they end."""
    codes: Counter[str] = Counter()
    while not over.is_set():
        try:
            await call()
        except grpc.aio.AioRpcError as error:
            codes[error.code().name] += 1
        else:
            codes["OK"] += 1
    return codes


async def test_server_asked_for_three_times_as_much_stays_useful_and_recovers_at_once(server):
    process = psutil.Process(server.process.pid)
    async with (
        grpc.aio.insecure_channel(server.target) as channel,
        grpc.aio.insecure_channel(server.admin_target) as beside,
    ):
        search: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/shelfmate.v1.RecommenderService/SearchNeighbors"
        )
        stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
        health = health_pb2_grpc.HealthStub(beside)

        async def send() -> bytes:
            return await search(SEARCH, timeout=60)

        rate = 3 * await peak(send)
        over = asyncio.Event()
        checks = asyncio.gather(
            codes_until(over, lambda: stub.RecommendSimilar(LOOK_UP, timeout=60)),
            codes_until(over, lambda: health.Check(health_pb2.HealthCheckRequest(), timeout=60)),
        )
        before = process.memory_info().rss
        count = min(int(LASTS_S * rate), MOST_CALLS)
        outcomes = await open_loop(send, rate=rate, count=count)
        assert process.memory_info().rss < before + MOST_GROWTH
        # The first search after the last one of the load, and those behind it.
        for _ in range(20):
            assert await send()
        over.set()
        look_ups, health_checks = await checks
    answered = [one for one in outcomes if isinstance(one, bytes)]
    refused = [one for one in outcomes if isinstance(one, grpc.aio.AioRpcError)]
    assert len(answered) + len(refused) == count
    codes = {error.code().name for error in refused}
    assert "RESOURCE_EXHAUSTED" in codes
    assert codes <= REFUSED
    assert all(retry_after_s(error) is not None for error in refused)
    assert len(answered) > SERVED_FIRST / 4
    assert set(look_ups) <= {"OK", *REFUSED}
    assert look_ups["OK"]
    assert set(health_checks) == {"OK"}
