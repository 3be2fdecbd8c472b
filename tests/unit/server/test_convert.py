"""Every enumeration of the domain has a number, and every number that is built a meaning."""

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
    FilterSpec,
    NearDuplicateBand,
    NearItem,
    NearItems,
    NearVector,
    NewItem,
    PriceBand,
    SimilarQuery,
    UnknownItemPolicy,
)
from server.convert import neighbor_batch, similar_batch
from server.convert.enums import (
    ACCURACY_OF,
    POLICY_OF,
    REASONS,
    RELATION_OF,
    SCORE_KINDS,
    SOURCES,
    STAGES,
    meaning,
)
from shelfmate.client import Options
from shelfmate.client.requests import similar_request
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
    ],
)
def test_every_number_has_a_meaning(of, enumeration, values):
    assert set(of) == set(enumeration.values())
    assert set(of.values()) == {None, *values}


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


def test_entry_that_cannot_be_read_keeps_its_place():
    wrong = common.AnswerOptions.FromString(b"\x18\x63")  # accuracy = 99, as a newer caller sends
    request = pb.RecommendSimilarRequest(
        requests=[pb.SimilarQuery(item_id="a", options=wrong), pb.SimilarQuery(item_id="b")]
    )
    batch, faults = similar_batch(request)
    assert len(batch.queries) == 2
    assert batch.queries[1] == SimilarQuery("b")
    assert [(place, fault.field) for place, fault in faults.items()] == [(0, "options.accuracy")]
