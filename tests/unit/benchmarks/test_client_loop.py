"""The loop through the shipped client, against a server of gRPC's own."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from benchmarks.arrivals import Arrivals, Step, due_times
from benchmarks.client_loop import run_client
from benchmarks.open_loop import Ask
from shelfmate.v1 import recommender_pb2 as pb

SERVICE = "shelfmate.v1.RecommenderService"
NOT_FOUND = 5


class Shaky:
    """Answers; what is asked for `once` fails the first time, for `never` as a whole."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def similar(self, request: pb.RecommendSimilarRequest, context: Any) -> Any:
        (query,) = request.requests
        self.asked[query.item_id] += 1
        if query.item_id == "once" and self.asked["once"] == 1:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        if query.item_id == "never":
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no")
        response = pb.RecommendSimilarResponse()
        outcome = response.outcomes.add()
        if query.item_id == "unknown":
            outcome.status.code = NOT_FOUND
        else:
            outcome.recommendations.SetInParent()
        return response


@pytest.fixture
async def served() -> AsyncIterator[tuple[str, Shaky]]:
    shaky, server = Shaky(), grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    handler: Any = grpc.unary_unary_rpc_method_handler(
        shaky.similar,
        pb.RecommendSimilarRequest.FromString,
        pb.RecommendSimilarResponse.SerializeToString,
    )
    methods = grpc.method_handlers_generic_handler(SERVICE, {"RecommendSimilar": handler})
    server.add_generic_rpc_handlers((methods,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}", shaky
    await server.stop(None)


def ask(id: str) -> Ask:
    request = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id=id)])
    return Ask(f"/{SERVICE}/RecommendSimilar", request.SerializeToString())


async def test_calls_are_made_by_the_shipped_client_which_tries_again(served):
    address, shaky = served
    due_s = due_times([Step(100, 0.2)], Arrivals.CONSTANT, seed=1)
    calls = await run_client(address, [ask("known"), ask("once")], due_s)
    assert calls.counts() == {"OK": 20}
    assert shaky.asked == {"known": 10, "once": 11}


async def test_failed_calls_and_failed_entries_have_their_status(served):
    address, _ = served
    due_s = due_times([Step(100, 0.06)], Arrivals.CONSTANT, seed=1)
    calls = await run_client(address, [ask("known"), ask("never"), ask("unknown")], due_s)
    assert calls.codes.tolist() == [0, 3, NOT_FOUND] * 2
