import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from server.config import ServerConfig
from server.listeners import Listeners
from shelfmate.v1 import recommender_pb2_grpc
from tests.echo import Echo, question

READY = grpc.ChannelConnectivity.READY
OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


@asynccontextmanager
async def listening(service: Echo) -> AsyncIterator[tuple[Listeners, str]]:
    """Listen with what answers, and give the address; the test stops it."""
    listeners = Listeners(ServerConfig(port=0, admin_port=0), (), shares_ports=False)
    for server in listeners.each:
        server.add_generic_rpc_handlers(service.handlers())
    ports = await listeners.start()
    try:
        yield listeners, f"127.0.0.1:{ports.public}"
    finally:
        await listeners.stop(0.0)


async def test_dismissed_caller_goes_elsewhere_and_its_call_in_flight_is_answered():
    service = Echo()
    async with (
        listening(service) as (listeners, target),
        grpc.aio.insecure_channel(target) as channel,
    ):
        stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
        in_flight = stub.GetItems(question("wait"))
        await service.arrived.acquire()
        listeners.dismiss(60)
        await channel.wait_for_state_change(READY)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetItems(question("a"), timeout=20)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        service.gate.set()
        assert (await in_flight).outcomes[0].item.item_id == "wait"


async def test_call_in_flight_on_a_connection_that_ends_is_unavailable():
    service = Echo()
    async with (
        listening(service) as (listeners, target),
        grpc.aio.insecure_channel(target) as channel,
    ):
        stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
        in_flight = stub.GetItems(question("wait"))
        await service.arrived.acquire()
        await listeners.stop(0.0)
        assert await in_flight.code() is grpc.StatusCode.UNAVAILABLE


async def asked_until_refused(target: str, answered: asyncio.Semaphore) -> str:
    """Ask one call after the other on a connection of its own, and return how the last one ended."""
    async with grpc.aio.insecure_channel(target, options=OWN_CONNECTION) as channel:
        stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
        while (code := await stub.GetItems(question("a"), timeout=20).code()).name == "OK":
            answered.release()
        return code.name


@pytest.mark.parametrize("round", range(10))
async def test_no_caller_is_told_that_it_cancelled(round):
    async with listening(Echo()) as (listeners, target):
        answered = asyncio.Semaphore(0)
        callers = [asyncio.ensure_future(asked_until_refused(target, answered)) for _ in range(8)]
        for _ in range(100 + round):
            await answered.acquire()
        await listeners.stop(0.0)
        assert Counter(await asyncio.gather(*callers)) == {"UNAVAILABLE": 8}
