"""What is out of stock appears on no road to an answer, once somebody says so."""

import dataclasses
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from artifacts.relation import Relation
from retrieval.answer import Answer, Outcome, Stage
from retrieval.availability import Availability
from retrieval.candidates import Source
from retrieval.config import RetrievalConfig, ServingConfig
from retrieval.queries import (
    AnswerOptions,
    FilterSpec,
    NearItem,
    NeighborBatch,
    NeighborQuery,
    SessionBatch,
    SessionQuery,
    SessionStrategy,
    SimilarBatch,
    SimilarQuery,
    UserBatch,
    UserQuery,
    Visit,
)
from retrieval.recommender import Recommender
from retrieval.state import ServingState
from tests.shop import ITEMS, item_id
from tests.shop_shoppers import shopper

ROWS = np.arange(ITEMS, dtype=np.int32)
VISITS = [Visit(item_id(5)), Visit(item_id(8)), Visit(item_id(100))]
ROADS: dict[str, Callable[[Recommender], Outcome]] = {
    "search": lambda recommender: recommender.neighbors(
        NeighborBatch([NeighborQuery(NearItem(item_id(5)))])
    ).outcomes[0],
    "exact search": lambda recommender: recommender.neighbors(
        NeighborBatch([NeighborQuery(NearItem(item_id(5)))], exact=True)
    ).outcomes[0],
    "shopper": lambda recommender: recommender.for_user(
        UserBatch([UserQuery(shopper(0))])
    ).outcomes[0],
    "new shopper": lambda recommender: recommender.for_user(
        UserBatch([UserQuery("nobody", VISITS)])
    ).outcomes[0],
}


def similar(relation: Relation, recommender: Recommender) -> Outcome:
    batch = SimilarBatch([SimilarQuery(item_id(5))], relation=relation)
    return recommender.similar(batch).outcomes[0]


def session(strategy: SessionStrategy, recommender: Recommender) -> Outcome:
    batch = SessionBatch([SessionQuery(VISITS)], strategy=strategy)
    return recommender.for_session(batch).outcomes[0]


ROADS |= {f"{relation} of an item": partial(similar, relation) for relation in Relation}
ROADS |= {strategy: partial(session, strategy) for strategy in SessionStrategy}


def without_stock(state: ServingState, rows: list[int]) -> ServingState:
    availability = Availability(ITEMS)
    availability.mark(np.array(rows, dtype=np.int32), np.zeros(len(rows), np.bool_), version=1)
    return dataclasses.replace(state, availability=availability)


def recommender_of(state: ServingState, **settings: object) -> Recommender:
    config = ServingConfig.model_validate(settings)
    return Recommender(state, RetrievalConfig(serving={"shop": config}))


def rows_of(outcome: Outcome) -> list[int]:
    assert isinstance(outcome, Answer), outcome
    return [candidate.row for candidate in outcome.candidates]


def removed(outcome: Outcome) -> int:
    assert isinstance(outcome, Answer), outcome
    return outcome.removed[Stage.AVAILABILITY]


@pytest.mark.parametrize("road", ROADS)
def test_config_leaves_out_what_is_out_of_stock_and_fills_the_answer(tiny_state, road):
    ask = ROADS[road]
    shown = rows_of(ask(recommender_of(tiny_state)))
    gone = shown[::2]
    recommender = recommender_of(without_stock(tiny_state, gone), available_only=True)
    outcome = ask(recommender)
    assert len(rows_of(outcome)) == len(shown) == 10
    assert not set(rows_of(outcome)) & set(gone)
    assert removed(outcome)


@pytest.mark.parametrize("road", ROADS)
def test_stock_is_passed_over_where_nobody_asks(tiny_state, road):
    ask = ROADS[road]
    nothing_left = without_stock(tiny_state, ROWS.tolist())
    assert rows_of(ask(recommender_of(nothing_left))) == rows_of(ask(recommender_of(tiny_state)))


@pytest.mark.parametrize("source", [Source.PRECOMPUTED, Source.LIVE, Source.HYBRID, Source.POPULAR])
@pytest.mark.parametrize("options", [None, AnswerOptions(filter=FilterSpec()), AnswerOptions(k=60)])
def test_every_source_keeps_to_what_the_config_says(tiny_state, source, options):
    state = without_stock(tiny_state, list(range(2, ITEMS, 5)))
    recommender = recommender_of(state, sources=[source], available_only=True, k=40)
    (answer,) = recommender.similar(
        SimilarBatch([SimilarQuery(item_id(5), options=options)])
    ).outcomes
    assert rows_of(answer)
    assert not [row for row in rows_of(answer) if row % 5 == 2]
    assert removed(answer)


def test_stock_that_comes_back_appears_again(tiny_state):
    state = without_stock(tiny_state, ROWS.tolist())
    recommender = recommender_of(state, available_only=True)
    batch = SimilarBatch([SimilarQuery(item_id(5))])
    (answer,) = recommender.similar(batch).outcomes
    assert rows_of(answer) == []
    state.availability.mark(ROWS[20:25], np.ones(5, np.bool_), version=2)
    (answer,) = recommender.similar(batch).outcomes
    assert sorted(rows_of(answer)) == [20, 21, 22, 23, 24]
