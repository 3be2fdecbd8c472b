from types import SimpleNamespace
from typing import Any

import pytest

from server.turnstile import FULL, REFUSAL, Turnstile
from shelfmate.v1 import recommender_pb2_grpc

SERVICE = "/shelfmate.v1.RecommenderService/"


def turnstile(*, full: bool = False, searches_full: bool = False) -> Turnstile:
    made = Turnstile(lambda searches: full or (searches and searches_full))
    servicer: Any = recommender_pb2_grpc.RecommenderServiceServicer
    server: Any = made
    recommender_pb2_grpc.add_RecommenderServiceServicer_to_server(servicer(), server)
    return made


def handler(turnstile: Turnstile, method: str) -> Any:
    details: Any = SimpleNamespace(method=method, invocation_metadata=())
    return turnstile.service(details)


@pytest.mark.parametrize("name", ["RecommendSimilar", "SearchNeighbors", "GetItems"])
def test_open_turnstile_leads_to_the_method(name):
    found = handler(turnstile(), SERVICE + name)
    assert found is not None
    assert found.unary_unary is not None


@pytest.mark.parametrize("name", ["RecommendSimilar", "SearchNeighbors", "GetItems"])
def test_full_turnstile_refuses_without_reading(name):
    found = handler(turnstile(full=True), SERVICE + name)
    assert found is REFUSAL
    assert found.request_streaming


def test_full_queue_of_searches_closes_the_turnstile_to_searches_alone():
    closed = turnstile(searches_full=True)
    assert handler(closed, SERVICE + "SearchNeighbors") is REFUSAL
    assert handler(closed, SERVICE + "RecommendSimilar") is not REFUSAL


def test_other_services_pass_by():
    assert handler(turnstile(full=True), "/grpc.health.v1.Health/Check") is None
    assert handler(turnstile(full=True), SERVICE + "Nothing") is None


def test_refusal_says_when_to_come_back():
    assert [detail.TypeName() for detail in FULL.details][-1] == "google.rpc.RetryInfo"
