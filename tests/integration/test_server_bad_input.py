"""Every mistake of a caller is named by its field, and fails no more than it must."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from shelfmate.v1 import admin_pb2, admin_pb2_grpc, recommender_pb2_grpc
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from tests.shop import DIM, item_id

GOOD = pb.SimilarQuery(item_id=item_id(0))
GOOD_SEARCH = pb.NeighborQuery(item_id=item_id(0))
INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture(scope="module")
def channel(child):
    with grpc.insecure_channel(child.target) as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel):
    return recommender_pb2_grpc.RecommenderServiceStub(channel)


@pytest.fixture(scope="module")
def admin(child):
    with grpc.insecure_channel(child.admin_target) as channel:
        yield admin_pb2_grpc.AdminServiceStub(channel)


def details(status: Status) -> tuple[str, list[str]]:
    info, bad_request = ErrorInfo(), BadRequest()
    for detail in status.details:
        assert detail.Unpack(info) or detail.Unpack(bad_request), detail.type_url
    assert info.domain == "shelfmate"
    return info.reason, [violation.field for violation in bad_request.field_violations]


def failure(
    call: Callable[..., Message], request: Message
) -> tuple[grpc.StatusCode, str, list[str]]:
    """Code, reason and fields of a call that fails as a whole."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=20)
    raised: Any = caught.value  # a call and an error at once, which no stub says
    metadata = dict(raised.trailing_metadata())
    status = Status.FromString(metadata["grpc-status-details-bin"])
    assert status.code == raised.code().value[0]
    assert status.message == raised.details()
    return raised.code(), *details(status)


def similar(*queries: pb.SimilarQuery, **fields: Any) -> pb.RecommendSimilarRequest:
    return pb.RecommendSimilarRequest(requests=queries, **fields)


def options(**fields: Any) -> common.AnswerOptions:
    return common.AnswerOptions(**fields)


def filtered(**fields: Any) -> common.AnswerOptions:
    return options(filter=common.Filter(**fields))


@pytest.mark.parametrize("k", [0, -1, 1_001, 10**9])
def test_k_out_of_range_fails_its_entry_alone(stub, k):
    bad = pb.SimilarQuery(item_id=item_id(0), options=options(k=k))
    outcomes = stub.RecommendSimilar(similar(GOOD, bad, GOOD), timeout=20).outcomes
    assert [outcome.WhichOneof("outcome") for outcome in outcomes] == [
        "recommendations",
        "status",
        "recommendations",
    ]
    assert outcomes[1].status.code == INVALID.value[0]
    assert details(outcomes[1].status) == ("K_OUT_OF_RANGE", ["requests[1].options.k"])


ENTRY_MISTAKES = [
    (options(accuracy=99), INVALID, "UNKNOWN_ENUM_VALUE", "options.accuracy"),
    (options(unknown_items=99), INVALID, "UNKNOWN_ENUM_VALUE", "options.unknown_items"),
    (
        filtered(allowed_categories=["Dairy", "Moon"]),
        INVALID,
        "UNKNOWN_CATEGORY",
        "options.filter.allowed_categories[1]",
    ),
    (
        filtered(price_band=common.PriceBand(min_price=2, max_price=1)),
        INVALID,
        "EMPTY_PRICE_BAND",
        "options.filter.price_band",
    ),
    (
        filtered(price_band=common.PriceBand(min_price=float("nan"))),
        INVALID,
        "EMPTY_PRICE_BAND",
        "options.filter.price_band",
    ),
    (
        filtered(min_similarity=1.5),
        INVALID,
        "SIMILARITY_OUT_OF_RANGE",
        "options.filter.min_similarity",
    ),
    (
        filtered(min_similarity=float("nan")),
        INVALID,
        "SIMILARITY_OUT_OF_RANGE",
        "options.filter.min_similarity",
    ),
    (
        filtered(excluded_item_ids=["x"] * 10_001),
        INVALID,
        "TOO_MANY_IDS",
        "options.filter.excluded_item_ids",
    ),
    (
        filtered(near_duplicates=common.NearDuplicateBand(max_similarity_to_query=-1.5)),
        INVALID,
        "SIMILARITY_OUT_OF_RANGE",
        "options.filter.near_duplicates.max_similarity_to_query",
    ),
]


@pytest.mark.parametrize(("wrong", "code", "reason", "field"), ENTRY_MISTAKES)
def test_wrong_options_fail_their_entry_alone(stub, wrong, code, reason, field):
    bad = pb.SimilarQuery(item_id=item_id(0), options=wrong)
    good, failed = stub.RecommendSimilar(similar(GOOD, bad), timeout=20).outcomes
    assert good.HasField("recommendations")
    assert failed.status.code == code.value[0]
    assert details(failed.status) == (reason, [f"requests[1].{field}"])


@pytest.mark.parametrize(("wrong", "code", "reason", "field"), ENTRY_MISTAKES)
def test_wrong_defaults_fail_the_call(stub, wrong, code, reason, field):
    found = failure(stub.RecommendSimilar, similar(GOOD, defaults=wrong))
    assert found == (code, reason, [field.replace("options", "defaults")])


@pytest.mark.parametrize(
    ("query", "code", "reason", "field"),
    [
        (pb.NeighborQuery(), INVALID, "NO_QUERY", ""),
        (pb.NeighborQuery(item_id=""), INVALID, "EMPTY_ID", ".item_id"),
        (
            pb.NeighborQuery(vector=pb.QueryVector(values=[0.5] * (DIM + 1))),
            INVALID,
            "WRONG_WIDTH",
            ".vector.values",
        ),
        (pb.NeighborQuery(vector=pb.QueryVector()), INVALID, "WRONG_WIDTH", ".vector.values"),
        (
            pb.NeighborQuery(vector=pb.QueryVector(values=[0.5, float("nan")] + [0] * (DIM - 2))),
            INVALID,
            "NOT_FINITE",
            ".vector.values[1]",
        ),
        (
            pb.NeighborQuery(items=pb.WeightedItems()),
            INVALID,
            "ITEM_COUNT_OUT_OF_RANGE",
            ".items.items",
        ),
        (
            pb.NeighborQuery(
                items=pb.WeightedItems(
                    items=[pb.WeightedItem(item_id=item_id(0), weight=float("inf"))]
                )
            ),
            INVALID,
            "NOT_FINITE",
            ".items.items[0].weight",
        ),
        (
            pb.NeighborQuery(
                items=pb.WeightedItems(items=[pb.WeightedItem(item_id=item_id(0), weight=0)])
            ),
            INVALID,
            "ALL_WEIGHTS_ZERO",
            ".items.items",
        ),
        (
            pb.NeighborQuery(item_id=item_id(1)),
            grpc.StatusCode.NOT_FOUND,
            "UNKNOWN_ITEM",
            ".item_id",
        ),
    ],
)
def test_wrong_search_fails_its_entry_alone(stub, query, code, reason, field):
    request = pb.SearchNeighborsRequest(requests=[GOOD_SEARCH, query])
    good, failed = stub.SearchNeighbors(request, timeout=20).outcomes
    assert good.HasField("recommendations")
    assert failed.status.code == code.value[0]
    assert details(failed.status) == (reason, [f"requests[1]{field}"])


def test_empty_id_fails_its_entry_alone(stub):
    _, failed = stub.RecommendSimilar(similar(GOOD, pb.SimilarQuery()), timeout=20).outcomes
    assert details(failed.status) == ("EMPTY_ID", ["requests[1].item_id"])


@pytest.mark.parametrize("size", [0, 1_001])
def test_batch_of_wrong_size_fails_the_call(stub, size):
    expected = (INVALID, "BATCH_SIZE_OUT_OF_RANGE", ["requests"])
    assert failure(stub.RecommendSimilar, similar(*[GOOD] * size)) == expected
    search = pb.SearchNeighborsRequest(requests=[GOOD_SEARCH] * size)
    assert failure(stub.SearchNeighbors, search) == expected
    items = pb.GetItemsRequest(item_ids=["x"] * size)
    assert failure(stub.GetItems, items) == (*expected[:2], ["item_ids"])


@pytest.mark.parametrize(
    ("fields", "code", "reason", "path"),
    [
        (
            {"call": common.CallOptions(serving_config="nightly")},
            INVALID,
            "UNKNOWN_SERVING_CONFIG",
            "call.serving_config",
        ),
        ({"relation": 99}, INVALID, "UNKNOWN_ENUM_VALUE", "relation"),
        ({"sources": [common.SOURCE_UNSPECIFIED]}, INVALID, "UNKNOWN_ENUM_VALUE", "sources[0]"),
        (
            {"sources": [common.SOURCE_POPULAR, 99]},
            INVALID,
            "UNKNOWN_ENUM_VALUE",
            "sources[1]",
        ),
    ],
)
def test_wrong_fields_of_the_batch_fail_the_call(stub, fields, code, reason, path):
    assert failure(stub.RecommendSimilar, similar(GOOD, **fields)) == (code, reason, [path])


@pytest.mark.parametrize("space", ["image", "content"])
def test_space_or_relation_that_the_snapshot_lacks_fails_each_entry(stub, space):
    request = pb.SearchNeighborsRequest(
        space=space, relation=common.RELATION_CONTINUATIONS, requests=[GOOD_SEARCH] * 2
    )
    for outcome in stub.SearchNeighbors(request, timeout=20).outcomes:
        assert outcome.status.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
        assert details(outcome.status) == ("NOT_IN_SNAPSHOT", [])


def test_sources_that_do_not_know_the_item_are_named(stub):
    request = similar(
        pb.SimilarQuery(item_id=item_id(1)), sources=[common.SOURCE_PRECOMPUTED, common.SOURCE_LIVE]
    )
    (failed,) = stub.RecommendSimilar(request, timeout=20).outcomes
    assert failed.status.code == grpc.StatusCode.NOT_FOUND.value[0]
    assert "precomputed, live" in failed.status.message


@pytest.mark.parametrize(
    ("method", "wrong", "field"),
    [
        ("ListSnapshots", admin_pb2.ListSnapshotsRequest(page_size=-1), "page_size"),
        ("ListSnapshots", admin_pb2.ListSnapshotsRequest(page_token="x"), "page_token"),
        ("ActivateSnapshot", admin_pb2.ActivateSnapshotRequest(), "snapshot_id"),
        ("UpdateAvailability", admin_pb2.UpdateAvailabilityRequest(), "changes"),
    ],
)
def test_mistakes_in_administration_name_their_field(admin, method, wrong, field):
    code, _, fields = failure(getattr(admin, method), wrong)
    assert (code, fields) == (INVALID, [field])


def test_bytes_that_are_no_message_do_not_stop_the_server(channel, stub):
    method = "/shelfmate.v1.RecommenderService/RecommendSimilar"
    raw = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
    with pytest.raises(grpc.RpcError):
        raw(b"\xff\xfe\xfd", timeout=20)
    assert stub.RecommendSimilar(similar(GOOD), timeout=20).outcomes


def test_deadline_that_has_passed_ends_the_call(stub):
    with pytest.raises(grpc.RpcError) as caught:
        stub.RecommendSimilar(similar(*[GOOD] * 1_000), timeout=0.000_1)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_debug_adds_the_road_of_each_item_and_timings(stub):
    call = common.CallOptions(debug=True)
    response = stub.RecommendSimilar(similar(GOOD, call=call), timeout=20)
    items = response.outcomes[0].recommendations.items
    assert [item.debug.source_rank for item in items] == list(range(1, 11))
    for item in items:
        assert item.debug.similarity_to_query == pytest.approx(item.score, abs=1e-5)
    assert [timing.stage for timing in response.info.timings] == ["lookup"]
    assert response.info.timings[0].duration_ns > 0
