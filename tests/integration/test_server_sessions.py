"""Sessions, shoppers and experiments over the wire are what retrieval says of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from retrieval.candidates import Source
from retrieval.config import RetrievalConfig
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    EventKind,
    SessionBatch,
    SessionQuery,
    SessionStrategy,
    UserBatch,
    UserQuery,
    Visit,
)
from retrieval.recommender import Recommender
from shelfmate import client as wire
from shelfmate.client import AsyncClient, Client, EntryError, Options, Recommendations, Shopper
from shelfmate.client.visits import Visits
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.serving import Child, serving
from tests.shop import item_id
from tests.shop_shoppers import shopper

SOURCES = [Source.PRECOMPUTED, Source.LIVE, Source.HYBRID, Source.POPULAR]
CONFIGS = RetrievalConfig.model_validate(
    {
        "serving": {
            "home": {"sources": SOURCES, "relation": "continuations"},
            "mixed": {
                "sources": SOURCES,
                "session": {
                    "mixing": "calibrated",
                    "lists": {"strategy": 1.0, "session_knn": 1.0, "co_occurrence": 1.0},
                },
            },
        },
        "experiments": {
            "mixing": {
                "arms": {
                    "plain": {"serving_config": "home", "share": 0.5},
                    "mixed": {"serving_config": "mixed", "share": 0.5},
                }
            }
        },
    }
)
KIND_NINE = pb.SessionQuery.FromString(b"\x0a\x02\x10\x09")
"""With a kind of event that only a newer caller knows."""
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
VISITED = [item_id(row) for row in (2, 30, 45)]
SESSIONS: list[Visits] = [
    VISITED,
    [
        wire.Visit(item_id(12), kind="purchase", at=NOON - timedelta(hours=1)),
        wire.Visit(item_id(77), kind="cart", weight=0.5, at=NOON),
        wire.Visit(item_id(90), weight=-1.0, at=NOON + timedelta(minutes=5)),
    ],
    [item_id(1), "nowhere"],
]
QUERIES = [
    SessionQuery([Visit(item_id(row)) for row in (2, 30, 45)]),
    SessionQuery(
        [
            Visit(item_id(12), EventKind.PURCHASE, at_s=NOON.timestamp() - 3600),
            Visit(item_id(77), EventKind.CART, 0.5, NOON.timestamp()),
            Visit(item_id(90), weight=-1.0, at_s=NOON.timestamp() + 300),
        ]
    ),
    SessionQuery([Visit(item_id(1)), Visit("nowhere")]),
]


@pytest.fixture(scope="module")
def child(tiny_snapshots, tmp_path_factory) -> Iterator[Child]:
    with serving(tiny_snapshots, tmp_path_factory.mktemp("serving"), CONFIGS) as child:
        yield child


@pytest.fixture(scope="module")
def client(child) -> Iterator[Client]:
    with Client(child.target, timeout_s=20) as client:
        yield client


@pytest.fixture(scope="module")
def stub(child) -> Iterator[recommender_pb2_grpc.RecommenderServiceStub]:
    with grpc.insecure_channel(child.target) as channel:
        yield recommender_pb2_grpc.RecommenderServiceStub(channel)


@pytest.fixture(scope="module")
def recommender(tiny_state) -> Recommender:
    return Recommender(tiny_state, CONFIGS)


def same(recommender: Recommender, outcome: Any, answer: Any) -> None:
    """Assert that an outcome of the wire holds what a domain answer does."""
    assert isinstance(outcome, Recommendations), outcome
    id_of = recommender.state.snapshot.items.id
    assert outcome.skipped_item_ids == answer.skipped
    assert len(outcome.items) == len(answer.candidates)
    for item, candidate in zip(outcome.items, answer.candidates, strict=True):
        assert item.item_id == id_of(candidate.row)
        assert item.score == pytest.approx(candidate.score)
        assert (item.score_kind, item.source) == (candidate.kind.value, candidate.source.value)
        assert item.mixed_from == candidate.mixed_from
        anchor = id_of(candidate.anchor) if candidate.anchor >= 0 else ""
        assert item.anchor_item_id == anchor


@pytest.mark.parametrize("config", ["home", "mixed"])
@pytest.mark.parametrize("strategy", [None, *SessionStrategy])
def test_sessions_are_answered_as_retrieval_answers_them(client, recommender, config, strategy):
    options = Options(k=30, serving_config=config)
    served = client.sessions(SESSIONS, options, strategy=strategy and strategy.value)
    batch = SessionBatch(QUERIES, CallOptions(config), AnswerOptions(k=30), strategy)
    expected = recommender.for_session(batch)
    assert (served.serving_config, served.experiment_label) == (config, "")
    for outcome, answer in zip(served.outcomes, expected.outcomes, strict=True):
        same(recommender, outcome, answer)


def test_a_call_with_many_visits_is_answered_alike(client, recommender):
    sessions = [SESSIONS[0]] * 50  # more than are looked up on the event loop
    (answer,) = recommender.for_session(SessionBatch(QUERIES[:1])).outcomes
    for outcome in client.sessions(sessions).outcomes:
        same(recommender, outcome, answer)


def test_shoppers_are_answered_as_retrieval_answers_them(client, recommender):
    shoppers = [shopper(1), Shopper(shopper(2), exclude_history=True), Shopper("new", SESSIONS[0])]
    queries = [
        UserQuery(shopper(1)),
        UserQuery(shopper(2), exclude_history=True),
        UserQuery("new", QUERIES[0].visits),
    ]
    served = client.users(shoppers, Options(k=12))
    expected = recommender.for_user(UserBatch(queries, defaults=AnswerOptions(k=12)))
    for outcome, answer in zip(served.outcomes, expected.outcomes, strict=True):
        same(recommender, outcome, answer)


def test_mistakes_are_named_by_their_paths_and_disturb_no_other(client, stub):
    nothing, nameless, good, endless = client.sessions(
        [[], [item_id(0), ""], [item_id(0)], [wire.Visit(item_id(0), weight=float("nan"))]]
    ).outcomes
    assert (nothing.code, nothing.field) == ("INVALID_ARGUMENT", "requests[0].visits")
    assert nameless.field == "requests[1].visits[1].item_id"
    assert len(good.items) == 10
    assert (endless.field, endless.reason) == ("requests[3].visits[0].weight", "NOT_FINITE")
    (unread,) = stub.RecommendForSession(
        pb.RecommendForSessionRequest(requests=[KIND_NINE]),
        timeout=20,
    ).outcomes
    assert "visits[0].kind" in unread.status.message
    (anonymous,) = client.users([""]).outcomes
    assert anonymous.field == "requests[0].user_id"


@pytest.mark.parametrize("count", [1_000, 1_001])
def test_so_many_visits_are_the_most(client, count):
    (outcome,) = client.sessions([[item_id(row % 200) for row in range(count)]]).outcomes
    if count == 1_000:
        assert len(outcome.items) == 10
    else:
        assert (outcome.field, outcome.reason) == (
            "requests[0].visits",
            "VISIT_COUNT_OUT_OF_RANGE",
        )


def test_unknown_items_follow_the_policy(client):
    failed, known = client.sessions(
        [["x"], ["x", item_id(0)]], Options(unknown_items="fail")
    ).outcomes
    assert isinstance(failed, EntryError)
    assert (failed.code, failed.field) == ("NOT_FOUND", "requests[0].visits[0].item_id")
    assert known.skipped_item_ids == ("x",)
    (skipped,) = client.sessions([["x"]], Options(unknown_items="skip")).outcomes
    assert (skipped.items, skipped.shortfall) == ((), "all_skipped")
    (popular,) = client.sessions([["x"]], Options(k=2)).outcomes
    assert popular.item_ids == [item_id(0), item_id(1)]


def test_debug_tells_the_score_in_the_list_that_an_item_came_from(stub):
    request = pb.RecommendForSessionRequest(
        call=common.CallOptions(serving_config="home", debug=True),
        strategy=pb.SESSION_STRATEGY_INTERLEAVE,
        requests=[pb.SessionQuery(visits=[common.Visit(item_id=each) for each in VISITED])],
    )
    response = stub.RecommendForSession(request, timeout=20)
    for item in response.outcomes[0].recommendations.items:
        assert item.score_kind == common.SCORE_KIND_RANK_FUSION
        assert item.debug.source_score_kind == common.SCORE_KIND_INNER_PRODUCT
        assert item.debug.source_score != item.score
        assert item.debug.source_rank >= 1
    assert response.info.timings[0].stage == "lookup"


def test_experiments_decide_where_the_call_does_not(client):
    seen = set()
    for number in range(20):
        visitor = Options(visitor_id=f"visitor-{number}")
        session = client.sessions(SESSIONS[:1], visitor)
        similar = client.similar([item_id(0)], visitor)
        assert session.experiment_label == similar.experiment_label
        seen.add((session.serving_config, session.experiment_label))
    assert seen == {("home", "mixing/plain"), ("mixed", "mixing/mixed")}
    named = client.sessions(SESSIONS, Options(serving_config="mixed", visitor_id="visitor-0"))
    assert (named.serving_config, named.experiment_label) == ("mixed", "")


async def test_async_client_gets_the_same_answers(child, client):
    async with AsyncClient(child.target, timeout_s=20) as asynchronous:
        assert await asynchronous.sessions(SESSIONS, strategy="interests") == client.sessions(
            SESSIONS, strategy="interests"
        )
        assert await asynchronous.users([shopper(3)]) == client.users([shopper(3)])
