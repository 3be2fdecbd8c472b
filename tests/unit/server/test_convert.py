"""Every enumeration of the domain has a number, and every number that is built a meaning."""

from datetime import UTC, datetime

import numpy as np
import pytest

from artifacts.accuracy import Accuracy
from artifacts.errors import RequestError
from artifacts.relation import Relation, ScoreKind
from retrieval.answer import ShortfallReason, Stage
from retrieval.candidates import Source
from retrieval.queries import (
    DEFAULT_CALL,
    NO_OPTIONS,
    AnswerOptions,
    CallOptions,
    EventKind,
    FilterSpec,
    NearDuplicateBand,
    NearItem,
    NearItems,
    NearVector,
    NewItem,
    PriceBand,
    SessionQuery,
    SessionStrategy,
    SimilarQuery,
    UnknownItemPolicy,
    UserQuery,
    Visit,
)
from server.convert import neighbor_batch, session_batch, similar_batch, user_batch
from server.convert.enums import (
    ACCURACY_OF,
    EVENT_KIND_OF,
    POLICY_OF,
    REASONS,
    RELATION_OF,
    SCORE_KINDS,
    SOURCES,
    STAGES,
    STRATEGY_OF,
    meaning,
)
from shelfmate.client import Options, Shopper
from shelfmate.client import Visit as client_visit
from shelfmate.client.requests import sessions_request, similar_request, users_request
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb


def test_every_value_of_the_domain_has_a_number():
    assert set(SCORE_KINDS) == set(ScoreKind)
    assert set(SOURCES) == set(Source)
    assert set(STAGES) == set(Stage) - {Stage.PASSED}
    assert set(REASONS) == set(ShortfallReason)


@pytest.mark.parametrize(
    ("of", "enumeration", "values"),
    [
        (RELATION_OF, common.Relation, Relation),
        (ACCURACY_OF, common.Accuracy, Accuracy),
        (POLICY_OF, common.UnknownItemPolicy, UnknownItemPolicy),
        (STRATEGY_OF, pb.SessionStrategy, SessionStrategy),
    ],
)
def test_every_number_has_a_meaning(of, enumeration, values):
    assert set(of) == set(enumeration.values())
    assert set(of.values()) == {None, *values}


def test_a_visit_without_a_kind_is_a_view():
    assert set(EVENT_KIND_OF) == set(common.EventKind.values())
    assert set(EVENT_KIND_OF.values()) == set(EventKind)
    assert EVENT_KIND_OF[common.EVENT_KIND_UNSPECIFIED] is EventKind.VIEW


def test_number_without_a_meaning_is_refused_by_its_field():
    with pytest.raises(RequestError) as caught:
        meaning(RELATION_OF, 99, path="relation")
    assert caught.value.field == "relation"


def test_empty_request_sets_nothing():
    batch, faults = similar_batch(pb.RecommendSimilarRequest())
    assert (batch.call, batch.defaults) == (DEFAULT_CALL, NO_OPTIONS)
    assert (batch.relation, batch.sources, batch.queries, faults) == (None, (), [], {})


def test_zero_is_not_unset():
    options = common.AnswerOptions(
        k=0, filter=common.Filter(min_similarity=0, price_band=common.PriceBand(min_price=0))
    )
    (query,) = similar_batch(
        pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id="a", options=options)])
    ).batch.queries
    spec = FilterSpec(price_band=PriceBand(low=0.0), min_similarity=0.0)
    assert query == SimilarQuery("a", options=AnswerOptions(k=0, filter=spec))


@pytest.mark.parametrize(("to_query", "between"), [(None, None), (0.5, None), (None, 0), (-1, 1)])
def test_near_duplicates_are_read_as_the_client_writes_them(to_query, between):
    options = Options(max_similarity_to_query=to_query, max_similarity_between_results=between)
    defaults = similar_batch(similar_request(["a"], options)).batch.defaults
    if to_query is between is None:
        assert defaults is NO_OPTIONS
    else:
        spec = FilterSpec(near_duplicates=NearDuplicateBand(to_query, between))
        assert defaults == AnswerOptions(filter=spec)


def test_whole_similar_request_is_read():
    request = pb.RecommendSimilarRequest(
        call=common.CallOptions(serving_config="email", debug=True, allow_partial=True),
        defaults=common.AnswerOptions(
            accuracy=common.ACCURACY_FAST, unknown_items=common.UNKNOWN_ITEM_POLICY_SKIP
        ),
        relation=common.RELATION_CONTINUATIONS,
        sources=[common.SOURCE_POPULAR, common.SOURCE_LIVE],
        requests=[
            pb.SimilarQuery(
                item_id="a", new_item=pb.NewItem(title="t", category_path="c", description="d")
            )
        ],
    )
    batch, _ = similar_batch(request)
    assert batch.call == CallOptions("email", debug=True, allow_partial=True)
    assert batch.defaults == AnswerOptions(
        accuracy=Accuracy.FAST, unknown_items=UnknownItemPolicy.SKIP
    )
    assert batch.relation is Relation.CONTINUATIONS
    assert batch.sources == [Source.POPULAR, Source.LIVE]
    assert batch.queries == [SimilarQuery("a", NewItem("t", "c", "d"))]


def test_searches_near_items_vectors_and_mixtures_are_read():
    weighted = [pb.WeightedItem(item_id="b"), pb.WeightedItem(item_id="c", weight=-2)]
    request = pb.SearchNeighborsRequest(
        requests=[
            pb.NeighborQuery(item_id="a"),
            pb.NeighborQuery(vector=pb.QueryVector(values=[1, 2])),
            pb.NeighborQuery(items=pb.WeightedItems(items=weighted)),
            pb.NeighborQuery(),
        ]
    )
    item, vector, items, nothing = neighbor_batch(request).batch.queries
    assert item.near == NearItem("a")
    assert isinstance(vector.near, NearVector)
    np.testing.assert_array_equal(vector.near.values, np.array([1, 2], dtype=np.float32))
    assert items.near == NearItems(["b", "c"], [1.0, -2.0])
    assert nothing.near is None


def test_visits_are_read_as_the_client_writes_them():
    at = datetime(2026, 5, 4, 3, 2, 1, 500_000, tzinfo=UTC)
    written: list[str | client_visit] = [
        "a",
        client_visit("b", kind="purchase", weight=-0.5),
        client_visit("c", kind="cart", weight=0, at=at),
    ]
    options = Options(k=3, serving_config="email", visitor_id="v", allow_partial=True)
    batch, faults = session_batch(sessions_request([written, []], options, strategy="interests"))
    visits = [
        Visit("a"),
        Visit("b", EventKind.PURCHASE, -0.5),
        Visit("c", EventKind.CART, 0.0, at.timestamp()),
    ]
    call = CallOptions("email", allow_partial=True, visitor_id="v")
    assert batch.queries == [SessionQuery(visits), SessionQuery([])]
    assert (batch.call, batch.defaults) == (call, AnswerOptions(k=3))
    assert (batch.strategy, faults) == (SessionStrategy.INTERESTS, {})


def test_shoppers_are_read_as_the_client_writes_them():
    shoppers: list[str | Shopper] = ["u", Shopper("w", ["a"], exclude_history=True)]
    batch, _ = user_batch(users_request(shoppers, Options()))
    assert batch.queries == [UserQuery("u", []), UserQuery("w", [Visit("a")], True)]
    assert (batch.call, batch.defaults) == (DEFAULT_CALL, NO_OPTIONS)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (pb.SessionQuery.FromString(b"\x0a\x03\x0a\x01a\x0a\x02\x10\x09"), "visits[1].kind"),
        (pb.SessionQuery(visits=[common.Visit()] * 1_001), "visits"),
        (
            pb.SessionQuery(options=common.AnswerOptions.FromString(b"\x18\x63")),
            "options.accuracy",
        ),
    ],
)
def test_session_that_cannot_be_read_keeps_its_place(query, field):
    good = pb.SessionQuery(visits=[common.Visit(item_id="a")])
    batch, faults = session_batch(pb.RecommendForSessionRequest(requests=[good, query, good]))
    assert [len(each.visits) for each in batch.queries] == [1, 0, 1]
    assert {place: fault.field for place, fault in faults.items()} == {1: field}


def test_strategy_without_a_meaning_is_refused():
    with pytest.raises(RequestError) as caught:
        session_batch(pb.RecommendForSessionRequest.FromString(b"\x18\x11"))
    assert caught.value.field == "strategy"


def test_entry_that_cannot_be_read_keeps_its_place():
    wrong = common.AnswerOptions.FromString(b"\x18\x63")  # accuracy = 99, as a newer caller sends
    request = pb.RecommendSimilarRequest(
        requests=[pb.SimilarQuery(item_id="a", options=wrong), pb.SimilarQuery(item_id="b")]
    )
    batch, faults = similar_batch(request)
    assert len(batch.queries) == 2
    assert batch.queries[1] == SimilarQuery("b")
    assert [(place, fault.field) for place, fault in faults.items()] == [(0, "options.accuracy")]
