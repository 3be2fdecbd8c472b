"""Requests that no client would send: never a crash, never a bug, never a leak.

100,000 in all: bytes that resemble messages, messages that make no sense, and connections that speak
something else.
"""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias

import grpc
import psutil
import pytest
from google.protobuf.message import DecodeError, Message
from hypothesis import HealthCheck, given, settings

from artifacts.versions import VersionedRoot
from retrieval.config import RetrievalConfig
from shelfmate.v1 import admin_pb2
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from tests.host_worker import copy_of
from tests.made_messages import messages
from tests.patience import wait_until
from tests.raw_caller import PATIENCE_S, opening
from tests.serving import Child, serving

pytestmark = pytest.mark.faults

Raw: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]"
Send: TypeAlias = "grpc.UnaryUnaryMultiCallable[bytes, bytes]"

SPOILT = 94_000
SENSELESS = 4_000
STRANGE = 2_000
AT_ONCE = 64
MOST_GROWTH = 64 << 20
"""Bytes that a process may gain; a kilobyte lost to each request would be more than that."""

FILTER = common.Filter(
    excluded_item_ids=["item-0001", "nobody"], allowed_categories=["Dairy"], available_only=True
)
OPTIONS = common.AnswerOptions(k=20, filter=FILTER, accuracy=common.ACCURACY_FAST)
VISITS = [common.Visit(item_id="item-0003", weight=2), common.Visit(item_id="item-0004")]
RECOMMENDER, ADMIN = "shelfmate.v1.RecommenderService", "shelfmate.v1.AdminService"
SOUND: dict[str, Message] = {
    "RecommendSimilar": pb.RecommendSimilarRequest(
        defaults=OPTIONS, requests=[pb.SimilarQuery(item_id="item-0003")] * 3
    ),
    "SearchNeighbors": pb.SearchNeighborsRequest(
        defaults=OPTIONS,
        requests=[
            pb.NeighborQuery(vector=pb.QueryVector(values=[0.5] * 12)),
            pb.NeighborQuery(item_id="item-0003"),
        ],
    ),
    "RecommendForSession": pb.RecommendForSessionRequest(
        requests=[pb.SessionQuery(visits=VISITS, options=OPTIONS)]
    ),
    "RecommendForUser": pb.RecommendForUserRequest(
        requests=[pb.UserQuery(user_id="somebody", visits=VISITS)]
    ),
    "Rerank": pb.RerankRequest(
        contributions=True,
        requests=[
            pb.RerankQuery(
                candidates=[pb.RerankCandidate(item_id=id) for id in ("item-0003", "nobody")],
                visits=VISITS,
                user_id="somebody",
            )
        ],
    ),
    "GetItems": pb.GetItemsRequest(item_ids=["item-0003", "nobody"]),
    "ListSnapshots": admin_pb2.ListSnapshotsRequest(page_size=3, page_token="x"),
    "ActivateSnapshot": admin_pb2.ActivateSnapshotRequest(snapshot_id="20261124"),
    "UpdateAvailability": admin_pb2.UpdateAvailabilityRequest(
        changes=[admin_pb2.AvailabilityChange(item_id="item-0003")]
    ),
}
ANSWERS: dict[str, type[Message]] = {
    method.name: getattr(file, method.output_type.name)
    for file, service in ((pb, "RecommenderService"), (admin_pb2, "AdminService"))
    for method in file.DESCRIPTOR.services_by_name[service].methods
}
STEERING = frozenset(
    method.name for method in admin_pb2.DESCRIPTOR.services_by_name["AdminService"].methods
)

OF_CALLS = {"OK", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "NOT_FOUND"}
OF_ENTRIES = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND"}
CODES = {code.value[0]: code.name for code in grpc.StatusCode}


@pytest.fixture(scope="module")
def server(ranked_snapshots, tmp_path_factory) -> Iterator[Child]:
    """A server of a snapshot that has something of everything."""
    folder = tmp_path_factory.mktemp("malformed")
    copy_of(ranked_snapshots, folder)
    with serving(VersionedRoot(folder / "snapshots"), folder, RetrievalConfig()) as child:
        yield child


def path_of(method: str) -> str:
    return f"/{ADMIN if method in STEERING else RECOMMENDER}/{method}"


def entry_codes(response: Any) -> set[str]:
    """Return the codes of what failed within an answer."""
    failed = [one.status for one in getattr(response, "failures", ())]
    outcomes = getattr(response, "outcomes", ())
    failed += [outcome.status for outcome in outcomes if outcome.HasField("status")]
    return {CODES[status.code] for status in failed}


def ended(method: str, send: Send, message: bytes) -> tuple[str, Any]:
    """Return how a call ended, and its answer if it has one."""
    try:
        return "OK", ANSWERS[method].FromString(send(message, timeout=20))
    except grpc.RpcError as error:
        return error.code().name, None


def spoilt(sound: bytes, rng: random.Random) -> bytes:
    """Return bytes that resemble a request, more or less."""
    match rng.randrange(5):
        case 0:
            return rng.randbytes(rng.randrange(64))
        case 1:
            return sound[: rng.randrange(len(sound))]
        case 2:
            return sound + rng.randbytes(rng.randrange(1, 16))
        case _:
            data = bytearray(sound)
            for _ in range(rng.randrange(1, 5)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            return bytes(data)


def spoilt_requests(rng: random.Random) -> Iterator[tuple[str, bytes, bool]]:
    """Give method and bytes of requests, and whether the bytes are a message."""
    names = list(SOUND)
    for _ in range(SPOILT):
        method = rng.choice(names)
        data = spoilt(SOUND[method].SerializeToString(), rng)
        try:
            type(SOUND[method]).FromString(data)
        except DecodeError:
            yield method, data, False
        else:
            yield method, data, True


async def test_bytes_that_resemble_requests_are_answered_by_the_right_code(server):
    unread: Counter[str] = Counter()
    read: Counter[str] = Counter()
    within: set[str] = set()
    rest = spoilt_requests(random.Random(20_261_124))
    process = psutil.Process(server.process.pid)
    async with (
        grpc.aio.insecure_channel(server.target) as public,
        grpc.aio.insecure_channel(server.admin_target) as admin,
    ):
        sends: dict[str, Raw] = {
            method: (admin if method in STEERING else public).unary_unary(path_of(method))
            for method in SOUND
        }

        async def send_all() -> None:
            for method, data, is_message in rest:
                try:
                    answer = await sends[method](data, timeout=20)
                except grpc.aio.AioRpcError as error:
                    (read if is_message else unread)[error.code().name] += 1
                else:
                    (read if is_message else unread)["OK"] += 1
                    within.update(entry_codes(ANSWERS[method].FromString(answer)))

        for (
            method,
            message,
        ) in SOUND.items():  # what is loaded and compiled when it is first asked for
            await asyncio.gather(
                sends[method](message.SerializeToString(), timeout=60), return_exceptions=True
            )
        before = process.memory_info().rss
        await asyncio.gather(*(send_all() for _ in range(AT_ONCE)))
        assert process.memory_info().rss < before + MOST_GROWTH
    assert unread.total() + read.total() == SPOILT
    assert "OK" not in unread
    assert set(read) <= OF_CALLS
    assert within <= OF_ENTRIES
    assert read["OK"] > SPOILT / 20


@pytest.mark.parametrize("method", SOUND)
def test_messages_without_sense_are_answered_by_the_right_code(server, method):
    process = psutil.Process(server.process.pid)
    target = server.admin_target if method in STEERING else server.target
    with grpc.insecure_channel(target) as channel:
        send: Send = channel.unary_unary(path_of(method))

        @settings(
            max_examples=SENSELESS // len(SOUND),
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(messages(type(SOUND[method])))
        def answered(message: Any) -> None:
            code, response = ended(method, send, message.SerializeToString())
            assert code in OF_CALLS
            assert entry_codes(response) <= OF_ENTRIES
            if hasattr(response, "outcomes"):
                entries = message.item_ids if method == "GetItems" else message.requests
                assert len(response.outcomes) == len(entries)

        before = process.memory_info().rss
        answered()
        assert process.memory_info().rss < before + MOST_GROWTH


def strange(rng: random.Random, port: int) -> bytes:
    """Return what somebody sends who speaks HTTP/2 badly, or something else."""
    noise = rng.randbytes(rng.randrange(1, 400))
    match rng.randrange(4):
        case 0:
            return noise
        case 1:
            return f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        case 2:
            return opening(0) + noise
        case _:
            data = bytearray(opening(rng.randrange(1 << 16)))
            data[rng.randrange(24, len(data))] = rng.randrange(256)
            return bytes(data) + noise


def test_connections_that_speak_something_else_are_closed(server):
    process = psutil.Process(server.process.pid)
    rng = random.Random(20_261_124)
    before = process.memory_info().rss, process.num_fds()
    for _ in range(STRANGE):
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as connection:
            try:
                connection.sendall(strange(rng, server.port))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 12):
                    pass
            except ConnectionError:  # the server has heard enough
                continue
    assert process.memory_info().rss < before[0] + MOST_GROWTH
    wait_until(lambda: process.num_fds() <= before[1])


def test_server_is_as_sound_as_before(server):
    """Answers after all that, in the process that was started."""
    sound = SOUND["RecommendSimilar"]
    with grpc.insecure_channel(server.target) as channel:
        send: Send = channel.unary_unary(path_of("RecommendSimilar"))
        answer = pb.RecommendSimilarResponse.FromString(send(sound.SerializeToString(), timeout=20))
    assert [outcome.HasField("recommendations") for outcome in answer.outcomes] == [True] * 3
    assert server.process.is_alive()
