"""A server that is gone without a word: its connection is open, and nobody speaks on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from benchmarks.grpc_frames import Kind, frame
from shelfmate.client import AsyncClient, Client, Item, channel
from tests.echo import Echo, echoing

SOON = (("grpc.keepalive_time_ms", 200), ("grpc.http2.ping_timeout_ms", 200))
"""In place of many seconds; the earlier of two options of one name counts."""


class Road:
    """Leads to a server, but for the first connection, whose other end falls silent.

    Attributes:
        connections: how many there were.
    """

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.partition(":")
        self._writers: list[asyncio.StreamWriter] = []
        self.connections = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        if self.connections == 1:
            writer.write(frame(Kind.SETTINGS, 0, 0, b""))
            return
        there, back = await asyncio.open_connection(self._host, int(self._port))
        self._writers.append(back)
        await asyncio.gather(_carried(reader, back), _carried(there, writer))

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


async def _carried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def road_to(target: str) -> AsyncIterator[tuple[Road, str]]:
    road = Road(target)
    server = await asyncio.start_server(road.connected, "127.0.0.1", 0)
    try:
        yield road, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        road.close()


@pytest.mark.parametrize("flavour", ["sync", "async"])
async def test_call_to_a_server_that_fell_silent_is_sent_again_elsewhere(monkeypatch, flavour):
    monkeypatch.setattr(channel, "CHANNEL_OPTIONS", (*SOON, *channel.CHANNEL_OPTIONS))
    async with echoing(Echo()) as target, road_to(target) as (road, address):
        if flavour == "async":
            async with AsyncClient(address, timeout_s=20) as client:
                (outcome,) = await client.items(["a"])
        else:
            with Client(address, timeout_s=20) as client:
                (outcome,) = await asyncio.to_thread(client.items, ["a"])
    assert isinstance(outcome, Item)
    assert road.connections == 2
