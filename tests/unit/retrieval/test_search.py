from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from artifacts.accuracy import Accuracy
from artifacts.errors import DeadlineError, RequestError, UnknownItemError, UnsupportedError
from artifacts.relation import Relation
from indexer.backends import build_index
from indexer.config import ExactConfig
from indexer.index import Metric
from indexer.row_index import RowIndex
from indexer.space_index import SpaceIndex
from retrieval.answer import Answer, Shortfall, ShortfallReason
from retrieval.deadline import Deadline
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    FilterSpec,
    Near,
    NearItem,
    NearItems,
    NearVector,
    NeighborBatch,
    NeighborQuery,
    SimilarBatch,
    SimilarQuery,
    UnknownItemPolicy,
)
from retrieval.recommender import Recommender
from tests.shop import COLD, DIM, ITEMS, item_id

PAST = Deadline(0.0, clock=lambda: 1.0)
FAIL = AnswerOptions(unknown_items=UnknownItemPolicy.FAIL)


def rows(answer: Answer) -> list[int]:
    return [candidate.row for candidate in answer.candidates]


def answered(recommender: Recommender, near: Near | None, **fields: Any) -> Answer:
    batch = NeighborBatch([NeighborQuery(near)])._replace(**fields)
    outcome = recommender.neighbors(batch).outcomes[0]
    assert isinstance(outcome, Answer), outcome
    return outcome


def test_item_and_its_vector_find_the_same_neighbours(tiny_recommender):
    vector = np.array(tiny_recommender.state.snapshot.spaces["cf"].vectors[0])
    by_item = answered(tiny_recommender, NearItem(item_id(0)), defaults=AnswerOptions(k=9))
    by_vector = answered(tiny_recommender, NearVector(vector), defaults=AnswerOptions(k=10))
    assert rows(by_vector) == [0, *rows(by_item)]


@pytest.mark.parametrize("relation", list(Relation))
@pytest.mark.parametrize(
    "near", [NearItem(item_id(0)), NearItems([item_id(1), item_id(2)], [1.0, 0.5])]
)
def test_hits_that_need_no_judging_are_those_that_judging_leaves(tiny_recommender, near, relation):
    passes_all = AnswerOptions(filter=FilterSpec(min_similarity=-1.0))
    debug = CallOptions(debug=True)
    plain = answered(tiny_recommender, near, relation=relation, call=debug)
    judged = answered(tiny_recommender, near, relation=relation, call=debug, defaults=passes_all)
    assert list(plain.candidates) == list(judged.candidates)
    assert plain.removed == judged.removed
    assert plain.similarities == judged.similarities


def test_one_item_of_weight_one_is_the_item(tiny_recommender):
    for relation in Relation:
        single = answered(tiny_recommender, NearItem(item_id(0)), relation=relation)
        weighted = answered(tiny_recommender, NearItems([item_id(0)], [1.0]), relation=relation)
        assert list(single.candidates) == list(weighted.candidates)


@pytest.mark.parametrize("space", ["cf", "content"])
def test_exact_flag_agrees_with_an_exact_index(tiny_recommender, space):
    near = NearItem(item_id(4))
    indexed = answered(tiny_recommender, near, space=space, defaults=AnswerOptions(k=40))
    exact = answered(tiny_recommender, near, space=space, exact=True, defaults=AnswerOptions(k=40))
    assert rows(indexed) == rows(exact)
    np.testing.assert_allclose(
        [c.score for c in indexed.candidates], [c.score for c in exact.candidates], rtol=1e-5
    )


def test_zero_vector_is_equally_far_from_everything(tiny_recommender):
    answer = answered(tiny_recommender, NearVector(np.zeros(DIM, dtype=np.float32)))
    assert {candidate.score for candidate in answer.candidates} == {0.0}
    assert rows(answer) == sorted(rows(answer))


def test_k_above_the_space_returns_all_of_it(tiny_recommender):
    answer = answered(tiny_recommender, NearItem(item_id(0)), defaults=AnswerOptions(k=1_000))
    assert len(answer.candidates) == 215
    assert answer.shortfall == Shortfall(1_000, 215, ShortfallReason.EXHAUSTED)


def test_unknown_items_of_a_mixture_are_left_out_and_listed(tiny_recommender):
    alone = answered(tiny_recommender, NearItems([item_id(0)], [1.0]))
    near = NearItems([item_id(0), "nowhere", COLD], [1.0, 2.0, 3.0])
    mixed = answered(tiny_recommender, near)
    assert mixed.skipped == ("nowhere", COLD)
    assert rows(mixed) == rows(alone)
    (failed,) = tiny_recommender.neighbors(NeighborBatch([NeighborQuery(near, FAIL)])).outcomes
    assert isinstance(failed, UnknownItemError)
    assert failed.field == "items.items[1].item_id"


@pytest.mark.parametrize("near", [NearItem("nowhere"), NearItems(["nowhere"], [1.0])])
def test_search_of_nothing_known_is_empty_and_says_so(tiny_recommender, near):
    answer = answered(tiny_recommender, near)
    assert (answer.candidates, answer.skipped) == ((), ("nowhere",))
    assert answer.shortfall == Shortfall(10, 0, ShortfallReason.ALL_SKIPPED)


def test_unknown_item_fails_where_the_caller_says_so(tiny_recommender):
    batch = NeighborBatch([NeighborQuery(NearItem("nowhere"), FAIL)])
    (failed,) = tiny_recommender.neighbors(batch).outcomes
    assert isinstance(failed, UnknownItemError)


@pytest.mark.parametrize(
    ("near", "field"),
    [
        (None, ""),
        (NearItem(""), "item_id"),
        (NearVector(np.zeros(DIM - 1, dtype=np.float32)), "vector.values"),
        (NearVector(np.full(DIM, np.inf, dtype=np.float32)), "vector.values[0]"),
        (NearItems([], []), "items.items"),
        (NearItems([item_id(0)] * 101, [1.0] * 101), "items.items"),
        (NearItems([item_id(0), ""], [1.0, 1.0]), "items.items[1].item_id"),
        (NearItems([item_id(0)], [float("nan")]), "items.items[0].weight"),
        (NearItems([item_id(0)], [0.0]), "items.items"),
    ],
)
def test_wrong_query_names_its_field_and_fails_alone(tiny_recommender, near, field):
    batch = NeighborBatch([NeighborQuery(near), NeighborQuery(NearItem(item_id(0)))])
    failed, good = tiny_recommender.neighbors(batch).outcomes
    assert isinstance(failed, RequestError)
    assert failed.field == field
    assert len(good.candidates) == 10


def test_space_that_the_snapshot_lacks_is_an_error_of_every_entry(tiny_recommender):
    batch = NeighborBatch([NeighborQuery(NearItem(item_id(0)))] * 2, space="image")
    outcomes = tiny_recommender.neighbors(batch).outcomes
    assert [type(outcome) for outcome in outcomes] == [UnsupportedError] * 2


def test_batch_answers_equal_single_ones(tiny_recommender):
    rng = np.random.default_rng(6)
    specs = [None, FilterSpec(allowed_categories=("Dairy",)), FilterSpec([item_id(8)])]
    queries = [
        NeighborQuery(
            NearItem(item_id(int(row) * 10)),
            AnswerOptions(k=int(k), filter=specs[place % len(specs)]),
        )
        for place, (row, k) in enumerate(
            zip(rng.integers(0, ITEMS // 10, 60), rng.integers(1, 90, 60), strict=True)
        )
    ]
    together = tiny_recommender.neighbors(NeighborBatch(queries)).outcomes
    for query, outcome in zip(queries, together, strict=True):
        assert outcome == tiny_recommender.neighbors(NeighborBatch([query])).outcomes[0]


def test_deadline_ends_the_call_unless_a_partial_answer_is_wanted(tiny_recommender):
    batch = NeighborBatch([NeighborQuery(NearItem(item_id(0)))])
    with pytest.raises(DeadlineError):
        tiny_recommender.neighbors(batch, PAST)
    answer = tiny_recommender.neighbors(batch._replace(call=CallOptions(allow_partial=True)), PAST)
    assert answer.partial
    assert answer.outcomes[0].shortfall.reason is ShortfallReason.DEADLINE


def test_catch_all_category_is_a_category_like_any_other(tiny_recommender):
    index = tiny_recommender.state.indices["content", Relation.ALTERNATIVES]
    assert index.categories == ("(uncategorised)", "Bakery", "Dairy", "Produce")
    options = AnswerOptions(filter=FilterSpec(allowed_categories=("(uncategorised)",)))
    answer = answered(tiny_recommender, NearItem(item_id(0)), space="content", defaults=options)
    catalog = tiny_recommender.state.snapshot.catalog
    assert {catalog.category(row) for row in rows(answer)} == {"(uncategorised)"}


def test_entries_of_a_batch_are_searched_at_their_own_accuracy(tiny_state, tiny_configs):
    key = ("cf", Relation.ALTERNATIVES)
    part = tiny_state.indices[key].parts["*"]
    table = tiny_state.snapshot.spaces["cf"]
    backwards = np.ascontiguousarray(table.vectors[::-1])
    other = build_index(backwards, Metric.COSINE, ExactConfig(), seed=0, threads=1)
    levelled = RowIndex(part.index, part.rows, {Accuracy.FAST: other})
    indices = {**tiny_state.indices, key: SpaceIndex(*key, {"*": levelled})}
    recommender = Recommender(replace(tiny_state, indices=indices), tiny_configs)
    near = NearVector(np.array(table.vectors[0]))
    batch = NeighborBatch(
        [NeighborQuery(near, AnswerOptions(accuracy=accuracy)) for accuracy in (*Accuracy, None)],
        space="cf",
        relation=Relation.ALTERNATIVES,
    )
    outcomes = recommender.neighbors(batch).outcomes
    first = [rows(outcome)[0] for outcome in outcomes if isinstance(outcome, Answer)]
    assert first == [table.rows[-1], table.rows[0], table.rows[0], table.rows[0]]


@pytest.mark.parametrize("accuracy", [None, *Accuracy])
def test_answer_names_the_effort_that_was_made(tiny_recommender, accuracy):
    defaults = AnswerOptions(accuracy=accuracy)
    given = accuracy or Accuracy.BALANCED
    searched = NeighborBatch([NeighborQuery(NearItem(item_id(0)))], defaults=defaults)
    assert tiny_recommender.neighbors(searched).accuracy is given
    similar = SimilarBatch([SimilarQuery(item_id(0))], defaults=defaults)
    assert tiny_recommender.similar(similar).accuracy is given
