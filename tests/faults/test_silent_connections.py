"""Connections whose other end says nothing, or is gone without a word."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import grpc
import psutil
import pytest

from benchmarks.grpc_frames import Kind
from retrieval.config import RetrievalConfig
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.load import plain_load
from tests.raw_caller import PATIENCE_S, RawCaller
from tests.serving import serving

pytestmark = pytest.mark.faults

SILENT = 300
REQUEST = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id="item-0000")])
SPARE = 20
"""Descriptors that a server has left."""


@contextmanager
def silent_connections(port: int, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S))
            for _ in range(count)
        ]


def hung_up(connection: socket.socket) -> bool:
    """Wait for the end of a connection on which the server may have said something before."""
    try:
        while connection.recv(1 << 12):
            pass
    except ConnectionError:
        pass
    return True


async def test_connections_that_never_speak_hold_up_nobody_and_are_closed(snapshots, tmp_path):
    settings = {"connections": {"handshake_s": 1}}
    with (
        serving(snapshots, tmp_path, RetrievalConfig(), **settings) as server,
        silent_connections(server.port, SILENT) as silent,
    ):
        process = psutil.Process(server.process.pid)
        async with plain_load(server.target) as load:
            await load.more(200)
            ends = [await asyncio.to_thread(hung_up, connection) for connection in silent]
            await load.more(200)
        assert all(ends)
        assert not load.failures
        assert process.num_fds() < SILENT


async def test_caller_who_is_gone_is_found_out_and_one_who_is_silent_is_kept(snapshots, tmp_path):
    settings = {"connections": {"keepalive_s": 0.5, "keepalive_timeout_s": 0.5}}
    with (
        serving(snapshots, tmp_path, RetrievalConfig(), **settings) as server,
        RawCaller(server.port) as gone,
    ):
        gone.call("RecommendSimilar", REQUEST.SerializeToString())
        async with grpc.aio.insecure_channel(server.target) as channel:
            stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
            await stub.RecommendSimilar(REQUEST, timeout=20)
            left = asyncio.ensure_future(channel.wait_for_state_change(READY))
            kinds = await asyncio.to_thread(kinds_heard, gone)
            assert Kind.PING in kinds
            # As long without a call as the other one, and still connected.
            assert not left.done()
            assert channel.get_state() is READY
            await stub.RecommendSimilar(REQUEST, timeout=20)
            left.cancel()


READY = grpc.ChannelConnectivity.READY


def kinds_heard(caller: RawCaller) -> set[int]:
    """Hear the server out without ever answering it."""
    return {one.kind for one in caller.heard(acknowledges=False)}


async def test_server_without_descriptors_answers_again_once_it_has_some(snapshots, tmp_path):
    settings = {"connections": {"handshake_s": 1}}
    with serving(snapshots, tmp_path, RetrievalConfig(), **settings) as server:
        process = psutil.Process(server.process.pid)
        async with plain_load(server.target) as load:
            await load.more(100)
            _, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
            fewer = process.num_fds() + SPARE
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (fewer, hard))
            with silent_connections(server.port, 3 * SPARE):
                await load.more(200)
            # One more connection, which has to wait for its turn.
            async with grpc.aio.insecure_channel(server.target) as channel:
                stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
                answer = await stub.RecommendSimilar(REQUEST, timeout=60, wait_for_ready=True)
            assert answer.outcomes
        assert not load.failures
