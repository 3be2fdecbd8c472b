"""Callers who read slowly, do not read at all, or send by halves."""

import asyncio
from collections.abc import Iterator

import grpc
import psutil
import pytest

from benchmarks.grpc_connection import status_of
from benchmarks.grpc_frames import END_STREAM, Kind
from retrieval.config import RetrievalConfig
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.load import plain_load
from tests.raw_caller import RawCaller
from tests.serving import Child, serving

pytestmark = pytest.mark.faults

ENTRIES = 1_000
LARGE = pb.RecommendSimilarRequest(
    defaults=common.AnswerOptions(k=20), requests=[pb.SimilarQuery(item_id="item-0000")] * ENTRIES
)
SENT = LARGE.SerializeToString()
MOST_CALLS = 20
CONNECTIONS, CALLS = 5, 40
ELSEWHERE = "127.0.0.2"
EXHAUSTED, TAKEN_ON = 8, -1
MOST_GROWTH = 256 << 20
"""Bytes that the server may gain."""


@pytest.fixture
def server(snapshots, tmp_path) -> Iterator[Child]:
    settings = {
        "limits": {"max_calls_per_caller": MOST_CALLS},
        # What is refused here is so for who calls, not for how long searches wait on a slow machine.
        "admission": {"max_wait_ms": 60_000},
        "drain_s": 1,
    }
    with serving(snapshots, tmp_path, RetrievalConfig(), **settings) as child:
        yield child


def outcome(caller: RawCaller, streams: set[int]) -> list[int]:
    """Wait until the server has said something of each stream: the status of those that ended."""
    codes: dict[int, int] = {}
    for one in caller.heard():
        if one.kind == Kind.HEADERS and one.stream in streams:
            ended = one.flags & END_STREAM
            codes[one.stream] = status_of(bytes(one.payload), 0) if ended else TAKEN_ON
        if len(codes) == len(streams):
            break
    return list(codes.values())


def stalled_calls(port: int) -> tuple[list[RawCaller], list[int]]:
    """Make more calls than one caller may, and read none of the answers."""
    callers = [RawCaller(port, source=ELSEWHERE) for _ in range(CONNECTIONS)]
    streams = [{caller.call("RecommendSimilar", SENT) for _ in range(CALLS)} for caller in callers]
    pairs = zip(callers, streams, strict=True)
    return callers, [code for caller, own in pairs for code in outcome(caller, own)]


def answer_of(target: str) -> pb.RecommendSimilarResponse:
    with grpc.insecure_channel(target) as channel:
        stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
        return stub.RecommendSimilar(LARGE, timeout=60)


def test_slow_reader_gets_the_whole_answer(server):
    body = bytearray()
    with RawCaller(server.port, window=1_000) as caller:
        stream = caller.call("RecommendSimilar", SENT)
        for one in caller.heard():
            if one.kind == Kind.DATA:
                body += one.payload
                caller.allow(stream, len(one.payload) or 1)
            elif one.kind == Kind.HEADERS and one.flags & END_STREAM:
                break
    assert int.from_bytes(body[1:5], "big") == len(body) - 5
    read = pb.RecommendSimilarResponse.FromString(bytes(body[5:]))
    assert list(read.outcomes) == list(answer_of(server.target).outcomes)


def test_request_that_comes_byte_by_byte_is_answered(server):
    one = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id="item-0000")])
    with RawCaller(server.port, window=1 << 20) as caller:
        for byte in caller.request("RecommendSimilar", one.SerializeToString()):
            caller.socket.sendall(bytes((byte,)))
        codes = [
            status_of(bytes(heard.payload), -1)
            for heard in until_end(caller)
            if heard.kind == Kind.HEADERS and heard.flags & END_STREAM
        ]
    assert codes == [0]


def until_end(caller: RawCaller):
    for one in caller.heard():
        yield one
        if one.kind == Kind.HEADERS and one.flags & END_STREAM:
            return


async def test_callers_who_do_not_read_hold_up_nobody_and_hold_no_more_than_they_may(server):
    process = psutil.Process(server.process.pid)
    async with plain_load(server.target) as load:
        await load.more(100)
        before = process.memory_info().rss
        callers, codes = await asyncio.to_thread(stalled_calls, server.port)
        assert codes.count(TAKEN_ON) == MOST_CALLS
        assert codes.count(EXHAUSTED) == CONNECTIONS * CALLS - MOST_CALLS
        await load.more(200)
        assert process.memory_info().rss < before + MOST_GROWTH
        for caller in callers:
            caller.close()
        # Whoever goes away gives back what was held.
        with RawCaller(server.port, source=ELSEWHERE) as again:
            code = EXHAUSTED
            while code == EXHAUSTED:
                stream = again.call("RecommendSimilar", SENT)
                (code,) = await asyncio.to_thread(outcome, again, {stream})
            assert code == TAKEN_ON
    assert not load.failures


async def test_requests_that_never_end_are_ended_by_their_deadline(server):
    with RawCaller(server.port) as caller:
        half = caller.request("RecommendSimilar", SENT, deadline_ms=500)
        caller.socket.sendall(half[: len(half) // 2])
        async with plain_load(server.target) as load:
            ended = await asyncio.to_thread(next, _ends(caller))
            await load.more(100)
        assert ended
    assert not load.failures


def _ends(caller: RawCaller) -> Iterator[bool]:
    for one in caller.heard():
        ends = one.kind == Kind.RST_STREAM or (one.kind == Kind.HEADERS and one.flags & END_STREAM)
        if one.stream and ends:
            yield True
    yield False


async def test_server_ends_in_time_with_callers_who_do_not_read(server):
    callers, codes = await asyncio.to_thread(stalled_calls, server.port)
    assert codes.count(TAKEN_ON) == MOST_CALLS
    server.terminate()
    assert await asyncio.to_thread(server.wait) == 0
    for caller in callers:
        caller.close()
