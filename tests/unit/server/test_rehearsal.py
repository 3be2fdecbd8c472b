import itertools

import pytest

from server.recorded_queries import EVERY, MOST, MOST_BYTES, RecordedQueries
from server.rehearsal import POPULAR, rehearse
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from tests.shop import item_id

SIMILAR = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id=item_id(0))])
SEARCH = pb.SearchNeighborsRequest(requests=[pb.NeighborQuery(item_id=item_id(0))])


def numbered(number: int) -> pb.RecommendSimilarRequest:
    return pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id=item_id(number))])


def test_first_requests_are_kept_and_later_ones_thinned_out():
    recorded = RecordedQueries()
    for number in range(MOST):
        recorded.offer(numbered(number))
    assert recorded.requests() == tuple(numbered(number) for number in range(MOST))
    for number in range(MOST, MOST + 10 * EVERY):
        recorded.offer(numbered(number))
    kept = recorded.requests()
    assert len(kept) == MOST
    assert kept[0] == numbered(10)
    assert len({str(request) for request in kept}) == MOST


def test_large_requests_are_not_kept():
    recorded = RecordedQueries()
    recorded.offer(numbered(0))
    recorded.offer(pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id="x" * MOST_BYTES)]))
    assert recorded.requests() == (numbered(0),)


@pytest.mark.parametrize(
    "recorded",
    [
        SIMILAR,
        SEARCH,
        pb.RecommendForSessionRequest(
            requests=[pb.SessionQuery(visits=[common.Visit(item_id=item_id(3))])]
        ),
        pb.RecommendForUserRequest(requests=[pb.UserQuery(user_id="user-0001")]),
    ],
)
def test_requests_of_each_kind_go_the_way_of_a_call(tiny_recommender, recorded):
    assert rehearse(tiny_recommender, [recorded] * 3) == 3


def test_popular_items_are_asked_for_where_nothing_is_recorded(tiny_recommender):
    asked = rehearse(tiny_recommender, [])
    assert asked == POPULAR * len(tiny_recommender.configs.serving)


def test_requests_without_an_answer_are_their_callers_affair(tiny_recommender):
    unknown = pb.RecommendSimilarRequest(
        call=common.CallOptions(serving_config="gone"), requests=SIMILAR.requests
    )
    assert rehearse(tiny_recommender, [unknown, pb.RecommendSimilarRequest(), SIMILAR]) == 3


def test_rehearsal_ends_in_time_whatever_there_is_to_ask(tiny_recommender):
    seconds = itertools.count()
    assert rehearse(tiny_recommender, [SIMILAR] * 1_000, clock=lambda: next(seconds)) < 10
