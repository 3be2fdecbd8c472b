"""A caller that has nothing of ours but stubs made from the folder `proto/`; run as a program.

Arguments: the folder of the stubs, the server, then item ids. Prints the answer as JSON.
"""

import json
import sys


def main(stubs: str, target: str, *item_ids: str) -> None:
    # First, so that `shelfmate.v1` and `google.rpc` are those generated a moment ago.
    sys.path.insert(0, stubs)
    import grpc
    from google.rpc import status_pb2  # type: ignore[import-untyped,unused-ignore]

    from shelfmate.v1 import common_pb2, recommender_pb2, recommender_pb2_grpc

    for module in (recommender_pb2, recommender_pb2_grpc, status_pb2):
        assert str(module.__file__).startswith(stubs), module.__file__
    request = recommender_pb2.RecommendSimilarRequest(
        requests=[recommender_pb2.SimilarQuery(item_id=item_id) for item_id in item_ids]
    )
    request.defaults.k = 5
    request.defaults.unknown_items = common_pb2.UNKNOWN_ITEM_POLICY_FAIL
    with grpc.insecure_channel(target) as channel:
        stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
        response = stub.RecommendSimilar(request, timeout=20)
    answers = [
        {"code": outcome.status.code}
        if outcome.WhichOneof("outcome") == "status"
        else {"items": [[item.item_id, item.score] for item in outcome.recommendations.items]}
        for outcome in response.outcomes
    ]
    print(json.dumps({"snapshot": response.info.snapshot_id, "answers": answers}))  # noqa: T201 - its output


if __name__ == "__main__":
    main(*sys.argv[1:])
