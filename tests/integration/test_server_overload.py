"""A server that is asked for more than it can do."""

import asyncio

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.serving import serving
from tests.shop import item_id

PATIENCE_S = 60
CODE = grpc.StatusCode
ONE = pb.SearchNeighborsRequest(requests=[pb.NeighborQuery(item_id=item_id(0))])
SIMILAR = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id=item_id(0))])
HEAVY = pb.SearchNeighborsRequest(
    exact=True,
    relation=common.RELATION_CONTINUATIONS,
    defaults=common.AnswerOptions(k=200),
    requests=[pb.NeighborQuery(item_id=item_id(0))] * 1_000,
)
LARGE = [("grpc.max_receive_message_length", -1)]


def retry_info(error: grpc.aio.AioRpcError) -> RetryInfo:
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    found = RetryInfo()
    (packed,) = [d for d in Status.FromString(details).details if d.Is(RetryInfo.DESCRIPTOR)]
    packed.Unpack(found)
    return found


async def refusal_of(stub) -> grpc.aio.AioRpcError:
    """Ask in bursts until a search is refused."""
    for _ in range(50):
        burst = [stub.SearchNeighbors(ONE, timeout=PATIENCE_S) for _ in range(100)]
        for outcome in await asyncio.gather(*burst, return_exceptions=True):
            if isinstance(outcome, grpc.aio.AioRpcError):
                return outcome
    raise AssertionError("all searches were answered")


async def test_call_beyond_the_limit_is_refused_unread_and_told_when_to_come_back(
    tiny_snapshots, tiny_configs, tmp_path
):
    settings = {"max_concurrent_calls": 1}
    with serving(tiny_snapshots, tmp_path, tiny_configs, **settings) as child:
        async with grpc.aio.insecure_channel(child.target, options=LARGE) as channel:
            stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
            heavy = stub.SearchNeighbors(HEAVY, timeout=PATIENCE_S)
            refused = None
            while refused is None and not heavy.done():
                try:
                    metadata = (("x-request-id", "mine"),)
                    await stub.RecommendSimilar(SIMILAR, timeout=PATIENCE_S, metadata=metadata)
                except grpc.aio.AioRpcError as error:
                    refused = error
            assert refused is not None, "the heavy call ended before another one came"
            assert refused.code() is CODE.RESOURCE_EXHAUSTED
            assert retry_info(refused).retry_delay.ToNanoseconds() > 0
            assert dict(refused.trailing_metadata())["x-request-id"] == "mine"
            assert len((await heavy).outcomes) == 1_000
            assert (await stub.RecommendSimilar(SIMILAR, timeout=PATIENCE_S)).outcomes


async def test_search_that_finds_the_queue_full_is_refused_and_look_ups_are_not(
    tiny_snapshots, tiny_configs, tmp_path
):
    settings = {"search_threads": 1, "admission": {"max_queued": 1}}
    with serving(tiny_snapshots, tmp_path, tiny_configs, **settings) as child:
        async with grpc.aio.insecure_channel(child.target, options=LARGE) as channel:
            stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
            error = await refusal_of(stub)
            assert error.code() is CODE.RESOURCE_EXHAUSTED
            assert retry_info(error).HasField("retry_delay")
            similar = await stub.RecommendSimilar(SIMILAR, timeout=PATIENCE_S)
            assert similar.outcomes[0].HasField("recommendations")
            assert (await stub.SearchNeighbors(ONE, timeout=PATIENCE_S)).outcomes


async def test_calls_beyond_those_that_may_pend_end_at_once_and_the_others_are_answered(
    tiny_snapshots, tiny_configs, tmp_path
):
    settings = {"admission": {"max_pending_calls": 3}}
    with serving(tiny_snapshots, tmp_path, tiny_configs, **settings) as child:
        async with grpc.aio.insecure_channel(child.target, options=LARGE) as channel:
            stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
            calls = [stub.RecommendSimilar(SIMILAR, timeout=PATIENCE_S) for _ in range(1_000)]
            codes = {await call.code() for call in calls}
            assert codes == {CODE.OK, CODE.CANCELLED}
            assert (await stub.RecommendSimilar(SIMILAR, timeout=PATIENCE_S)).outcomes


async def test_server_under_load_does_less_and_says_so(tiny_snapshots, tiny_configs, tmp_path):
    eager = {"above_ms": 0.001, "below_ms": 0, "patience_s": 1e-6, "calm_s": 3_600}
    settings = {"search_threads": 1, "brown_out": eager}
    with serving(tiny_snapshots, tmp_path, tiny_configs, **settings) as child:
        async with grpc.aio.insecure_channel(child.target, options=LARGE) as channel:
            stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
            assert not (await stub.SearchNeighbors(ONE, timeout=PATIENCE_S)).info.degraded
            error = await refusal_of(stub)
            assert error.code() is CODE.RESOURCE_EXHAUSTED
            assert "from lists alone" in (error.details() or "")
            listed = await stub.RecommendSimilar(SIMILAR, timeout=PATIENCE_S)
            assert not listed.info.degraded
            wide = pb.RecommendSimilarRequest(
                requests=SIMILAR.requests, defaults=common.AnswerOptions(k=100)
            )
            answer = await stub.RecommendSimilar(wide, timeout=PATIENCE_S)
            assert answer.info.degraded
            sources = {i.source for i in answer.outcomes[0].recommendations.items}
            assert sources == {common.SOURCE_PRECOMPUTED, common.SOURCE_POPULAR}
