"""Requests that no client would send: never a crash, never a bug, never a leak."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

import grpc
import psutil
import pytest
from google.protobuf.message import DecodeError, Message

from retrieval.config import RetrievalConfig
from shelfmate.v1 import admin_pb2
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from tests.serving import serving

pytestmark = pytest.mark.faults

Raw: TypeAlias = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]

REQUESTS = 30_000
AT_ONCE = 64
MOST_GROWTH = 64 << 20
"""Bytes that a process may gain; a kilobyte lost to each request would be more than half of it."""

FILTER = common.Filter(
    excluded_item_ids=["item-0001", "nobody"], allowed_categories=["Dairy"], available_only=True
)
OPTIONS = common.AnswerOptions(k=20, filter=FILTER, accuracy=common.ACCURACY_FAST)
VISITS = [common.Visit(item_id="item-0003", weight=2), common.Visit(item_id="item-0004")]
RECOMMENDER, ADMIN = "shelfmate.v1.RecommenderService", "shelfmate.v1.AdminService"
SOUND: tuple[tuple[str, str, Message], ...] = (
    (
        RECOMMENDER,
        "RecommendSimilar",
        pb.RecommendSimilarRequest(
            defaults=OPTIONS, requests=[pb.SimilarQuery(item_id="item-0003")] * 3
        ),
    ),
    (
        RECOMMENDER,
        "SearchNeighbors",
        pb.SearchNeighborsRequest(
            defaults=OPTIONS,
            requests=[
                pb.NeighborQuery(vector=pb.QueryVector(values=[0.5] * 12)),
                pb.NeighborQuery(item_id="item-0003"),
            ],
        ),
    ),
    (
        RECOMMENDER,
        "RecommendForSession",
        pb.RecommendForSessionRequest(requests=[pb.SessionQuery(visits=VISITS, options=OPTIONS)]),
    ),
    (
        RECOMMENDER,
        "RecommendForUser",
        pb.RecommendForUserRequest(requests=[pb.UserQuery(user_id="somebody", visits=VISITS)]),
    ),
    (RECOMMENDER, "GetItems", pb.GetItemsRequest(item_ids=["item-0003", "nobody"])),
    (ADMIN, "ListSnapshots", admin_pb2.ListSnapshotsRequest(page_size=3, page_token="x")),
    (
        ADMIN,
        "UpdateAvailability",
        admin_pb2.UpdateAvailabilityRequest(
            changes=[admin_pb2.AvailabilityChange(item_id="item-0003")]
        ),
    ),
)


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


def requests(rng: random.Random) -> Iterator[tuple[str, bytes, bool]]:
    """Give path and bytes of requests, and whether the bytes are a message."""
    for _ in range(REQUESTS):
        service, method, message = rng.choice(SOUND)
        data = spoilt(message.SerializeToString(), rng)
        try:
            type(message).FromString(data)
        except DecodeError:
            yield f"/{service}/{method}", data, False
        else:
            yield f"/{service}/{method}", data, True


def raw(channel: grpc.aio.Channel, path: str) -> Raw:
    """Return a method that takes and gives bytes."""
    method: Raw = channel.unary_unary(path)
    return method


async def test_server_survives_what_no_client_would_send(snapshots, tmp_path):
    unread: Counter[str] = Counter()
    read: Counter[str] = Counter()
    rest = requests(random.Random(20_261_124))
    with serving(snapshots, tmp_path, RetrievalConfig()) as child:
        process = psutil.Process(child.process.pid)
        async with (
            grpc.aio.insecure_channel(child.target) as public,
            grpc.aio.insecure_channel(child.admin_target) as admin,
        ):

            async def send_all() -> None:
                for path, data, is_message in rest:
                    call = raw(admin if ADMIN in path else public, path)
                    try:
                        await call(data, timeout=20)
                    except grpc.aio.AioRpcError as error:
                        (read if is_message else unread)[error.code().name] += 1
                    else:
                        (read if is_message else unread)["OK"] += 1

            before = process.memory_info().rss
            await asyncio.gather(*(send_all() for _ in range(AT_ONCE)))
            assert process.memory_info().rss < before + MOST_GROWTH
            good = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id="item-0003")])
            similar = raw(public, f"/{RECOMMENDER}/RecommendSimilar")
            answer = await similar(good.SerializeToString(), timeout=20)
            assert pb.RecommendSimilarResponse.FromString(answer).outcomes
    assert unread.total() + read.total() == REQUESTS
    assert "OK" not in unread
    assert set(read) <= {"OK", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}
    assert read["OK"] > REQUESTS / 20
