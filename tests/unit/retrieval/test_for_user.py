"""Recommendations for shoppers beside what numpy makes of their vectors."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from artifacts.accuracy import Accuracy
from artifacts.errors import DeadlineError, RequestError, UnknownUserError, UnsupportedError
from artifacts.relation import ScoreKind
from retrieval.answer import Answer, Outcome, Shortfall, ShortfallReason, Stage
from retrieval.candidates import Source
from retrieval.config import RetrievalConfig, ServingConfig
from retrieval.deadline import Deadline
from retrieval.effort import Effort
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    EventKind,
    FilterSpec,
    SessionBatch,
    SessionQuery,
    UnknownItemPolicy,
    UserBatch,
    UserQuery,
    Visit,
)
from retrieval.recommender import Recommender
from retrieval.session.config import KindWeights, SessionConfig
from retrieval.state import ServingState
from retrieval.user_space import UserSpace
from tests.shop import item_id
from tests.shop_shoppers import SHOPPERS, TAKEN, shopper

PAST = Deadline(0.0, clock=lambda: 1.0)
NOBODY = "somebody-else"
BOUGHT = ("item-0003", "item-0040", "item-0041")
NOT_IN_SPACE = item_id(12)
"""In the catalogue and in `cf`, but unknown to the user space."""


def ask(recommender: Recommender, *queries: UserQuery, **fields: Any) -> list[Outcome]:
    return list(recommender.for_user(UserBatch(queries)._replace(**fields)).outcomes)


def one(recommender: Recommender, query: UserQuery, **fields: Any) -> Answer:
    (outcome,) = ask(recommender, query, **fields)
    assert isinstance(outcome, Answer), outcome
    return outcome


def space_of(state: ServingState) -> UserSpace:
    space = state.user_space
    assert space is not None
    return space


def vector_of(state: ServingState, number: int) -> NDArray[np.float64]:
    users = space_of(state).users
    return np.asarray(users.vectors[users.row(shopper(number))], dtype=np.float64)


def solved(state: ServingState, weights: dict[int, float]) -> NDArray[np.float64]:
    """Solve the normal equations over all items, as the paper has them."""
    space = space_of(state)
    factors = np.asarray(space.factors, dtype=np.float64)
    wanted, confidences = np.zeros(len(factors)), np.ones(len(factors))
    for row, weight in weights.items():
        place = int(space.items.positions(np.array([row], dtype=np.int32))[0])
        wanted[place] = 1
        confidences[place] = 1 + space.terms.confidence.alpha * weight
    left = factors.T @ (confidences[:, None] * factors)
    left += space.terms.regularisation * np.eye(factors.shape[1])
    return np.asarray(np.linalg.solve(left, factors.T @ (confidences * wanted)), dtype=np.float64)


def best(
    state: ServingState, vector: NDArray[np.float64], without: Any = (), k: int = 10
) -> list[int]:
    """Return the rows of the k largest inner products, ties by row."""
    table = space_of(state).items
    scores = np.asarray(table.outputs, dtype=np.float64) @ vector
    rows = np.asarray(table.rows)
    order = [row for row in rows[np.lexsort((rows, -scores))].tolist() if row not in set(without)]
    return order[:k]


def rows_of(answer: Answer) -> list[int]:
    return [candidate.row for candidate in answer.candidates]


def taken(state: ServingState, number: int) -> set[int]:
    users = space_of(state).users
    return set(users.taken(users.row(shopper(number)))[0].tolist())


def visits(*ids: str, **fields: Any) -> list[Visit]:
    return [Visit(id, **fields) for id in ids]


def test_known_shopper_gets_the_largest_inner_products(tiny_recommender: Recommender):
    state = tiny_recommender.state
    queries = [UserQuery(shopper(number)) for number in range(SHOPPERS)]
    for number, outcome in enumerate(ask(tiny_recommender, *queries)):
        assert isinstance(outcome, Answer)
        vector = vector_of(state, number)
        assert rows_of(outcome) == best(state, vector)
        table = space_of(state).items
        places = table.positions(np.array(rows_of(outcome), dtype=np.int32))
        scores = [candidate.score for candidate in outcome.candidates]
        np.testing.assert_allclose(scores, np.asarray(table.outputs)[places] @ vector, rtol=1e-4)
        for rank, candidate in enumerate(outcome.candidates, start=1):
            assert candidate.source is Source.LIVE
            assert candidate.kind is ScoreKind.INNER_PRODUCT
            assert candidate.rank >= rank


def test_history_is_left_out_where_that_is_asked_for(tiny_recommender: Recommender):
    state = tiny_recommender.state
    queries = [UserQuery(shopper(number), exclude_history=True) for number in range(SHOPPERS)]
    for number, outcome in enumerate(ask(tiny_recommender, *queries)):
        assert isinstance(outcome, Answer)
        assert rows_of(outcome) == best(state, vector_of(state, number), taken(state, number))
    kept = [one(tiny_recommender, UserQuery(shopper(number))) for number in range(SHOPPERS)]
    assert any(set(rows_of(kept[number])) & taken(state, number) for number in range(SHOPPERS))


def test_long_histories_are_left_out_whatever_k_is(tiny_recommender: Recommender):
    state = tiny_recommender.state
    options = AnswerOptions(k=1_000)
    query = UserQuery(shopper(3), exclude_history=True, options=options)
    answer = one(tiny_recommender, query)
    live = [c.row for c in answer.candidates if c.source is Source.LIVE]
    assert live == best(state, vector_of(state, 3), taken(state, 3), k=1_000)
    assert len(live) == len(space_of(state).items) - TAKEN
    # What the user space does not know is popular, and comes last.
    rest = [c.source for c in answer.candidates[len(live) :]]
    assert rest
    assert set(rest) == {Source.POPULAR}
    assert not set(rows_of(answer)) & taken(state, 3)


def test_unknown_shopper_is_solved_from_the_visits(tiny_recommender: Recommender):
    state = tiny_recommender.state
    answer = one(tiny_recommender, UserQuery(NOBODY, visits(*BOUGHT, BOUGHT[0])))
    rows = [state.snapshot.items.row(id) for id in BOUGHT]
    vector = solved(state, {rows[0]: 2.0, rows[1]: 1.0, rows[2]: 1.0})
    assert rows_of(answer) == best(state, vector, rows)
    assert {candidate.source for candidate in answer.candidates} == {Source.LIVE}
    assert answer.skipped == ()


def test_visits_weigh_by_kind_and_by_the_caller_and_do_not_age(tiny_state: ServingState):
    weights = KindWeights(view=1.0, cart=2.5, purchase=4.0)
    config = ServingConfig(session=SessionConfig(kind_weights=weights, half_life_visits=1.0))
    recommender = Recommender(tiny_state, RetrievalConfig(serving={"offer_page": config}))
    sent = [
        Visit(BOUGHT[0], EventKind.PURCHASE),
        Visit(BOUGHT[1], EventKind.CART, weight=2.0),
        Visit(BOUGHT[2], EventKind.VIEW),
        Visit(item_id(7), EventKind.VIEW, weight=-1.0),
    ]
    rows = [tiny_state.snapshot.items.row(visit.item_id) for visit in sent]
    vector = solved(tiny_state, {rows[0]: 4.0, rows[1]: 5.0, rows[2]: 1.0})
    answer = one(recommender, UserQuery(NOBODY, sent))
    assert rows_of(answer) == best(tiny_state, vector, rows)


def test_visits_of_a_known_shopper_are_left_out_and_change_nothing_else(tiny_recommender):
    state = tiny_recommender.state
    first = rows_of(one(tiny_recommender, UserQuery(shopper(5))))
    seen = visits(item_id(first[0]), "nowhere")
    answer = one(tiny_recommender, UserQuery(shopper(5), seen))
    assert rows_of(answer) == best(state, vector_of(state, 5), first[:1])
    assert answer.skipped == ("nowhere",)


def test_visits_that_the_user_space_does_not_know_are_answered_as_a_session(tiny_recommender):
    seen = visits(NOT_IN_SPACE, "nowhere")
    answer = one(tiny_recommender, UserQuery(NOBODY, seen))
    (session,) = tiny_recommender.for_session(SessionBatch([SessionQuery(seen)])).outcomes
    assert answer == session
    assert len(answer.candidates) == 10
    assert answer.skipped == ("nowhere",)


def test_shopper_of_whom_nothing_is_known_gets_what_is_popular(tiny_recommender: Recommender):
    popular = tiny_recommender.state.snapshot.popularity.overall()[:10].tolist()
    for sent in ([], visits("nowhere")):
        answer = one(tiny_recommender, UserQuery(NOBODY, sent))
        assert rows_of(answer) == popular
        assert {candidate.source for candidate in answer.candidates} == {Source.POPULAR}


def test_caller_may_forbid_fallback(tiny_recommender: Recommender):
    forbidden = AnswerOptions(unknown_items=UnknownItemPolicy.FAIL)
    queries = [UserQuery(NOBODY, visits(*BOUGHT)), UserQuery(shopper(0))]
    unknown, known = ask(tiny_recommender, *queries, defaults=forbidden)
    assert isinstance(unknown, UnknownUserError)
    assert unknown.field == "user_id"
    assert NOBODY not in str(unknown)
    assert isinstance(known, Answer)


def test_unknown_shopper_without_known_visits_is_skipped_on_request(tiny_recommender):
    skip = AnswerOptions(unknown_items=UnknownItemPolicy.SKIP)
    query = UserQuery(NOBODY, visits("nowhere"), options=skip)
    answer = one(tiny_recommender, query)
    assert answer.shortfall == Shortfall(10, 0, ShortfallReason.ALL_SKIPPED)
    assert answer.skipped == ("nowhere",)
    assert len(one(tiny_recommender, query._replace(visits=visits(*BOUGHT))).candidates) == 10


def test_filters_hold_for_shoppers(tiny_recommender: Recommender):
    state = tiny_recommender.state
    vector = vector_of(state, 9)
    dairy = [row for row in best(state, vector, k=1_000) if row % 4 == 1]
    spec = FilterSpec(allowed_categories=["Dairy"], excluded_ids=[item_id(dairy[1])])
    answer = one(tiny_recommender, UserQuery(shopper(9), options=AnswerOptions(filter=spec)))
    assert rows_of(answer) == [row for row in dairy if row != dairy[1]][:10]
    assert answer.removed[Stage.EXCLUDED] == 1


def test_minimum_similarity_is_that_of_vectors_of_shoppers(tiny_recommender: Recommender):
    state = tiny_recommender.state
    query = UserQuery(shopper(2), options=AnswerOptions(filter=FilterSpec(min_similarity=0.3)))
    answer = one(tiny_recommender, query, call=CallOptions(debug=True))
    table = space_of(state).items
    vectors = np.asarray(table.vectors)
    vector = vector_of(state, 2)
    cosines = vectors @ vector / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vector)
    near = {row for row, cosine in zip(table.rows.tolist(), cosines, strict=True) if cosine >= 0.3}
    assert rows_of(answer) == [row for row in best(state, vector, k=1_000) if row in near][:10]
    places = table.positions(np.array(rows_of(answer), dtype=np.int32))
    np.testing.assert_allclose(answer.similarities, cosines[places], rtol=1e-4)


def test_entries_fail_alone_and_stay_in_order(tiny_recommender: Recommender):
    state = tiny_recommender.state
    outcomes = ask(
        tiny_recommender,
        UserQuery(""),
        UserQuery(shopper(1)),
        UserQuery(NOBODY, visits(BOUGHT[0], weight=float("nan"))),
        UserQuery(NOBODY, visits(NOT_IN_SPACE)),
        UserQuery(NOBODY),
        UserQuery(NOBODY, visits(*BOUGHT)),
        UserQuery(shopper(1), options=AnswerOptions(k=0)),
        UserQuery(NOBODY, visits("")),
    )
    failed = [outcome for outcome in outcomes if isinstance(outcome, RequestError)]
    assert [outcomes.index(error) for error in failed] == [0, 2, 6, 7]
    assert [error.field for error in failed] == [
        "user_id",
        "visits[0].weight",
        "options.k",
        "visits[0].item_id",
    ]
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    assert rows_of(answers[0]) == best(state, vector_of(state, 1))
    assert answers[2].candidates[0].source is Source.POPULAR
    assert answers[3] == one(tiny_recommender, UserQuery(NOBODY, visits(*BOUGHT)))


@pytest.mark.parametrize("count", [0, 1_001])
def test_batches_beyond_the_bounds_are_refused(tiny_recommender: Recommender, count: int):
    with pytest.raises(RequestError, match="requests: expected 1 to 1000"):
        ask(tiny_recommender, *[UserQuery(NOBODY)] * count)


def test_popular_fills_only_where_the_serving_config_has_it(tiny_state: ServingState):
    live = ServingConfig(sources=(Source.LIVE,))
    recommender = Recommender(tiny_state, RetrievalConfig(serving={"live": live}))
    assert one(recommender, UserQuery(NOBODY)).candidates == []
    whole = one(recommender, UserQuery(shopper(0), options=AnswerOptions(k=1_000)))
    assert {candidate.source for candidate in whole.candidates} == {Source.LIVE}


def test_snapshot_without_shoppers_says_so_for_each_entry(tiny_state: ServingState, tiny_configs):
    bare = Recommender(replace(tiny_state, user_space=None), tiny_configs)
    outcomes = ask(bare, UserQuery(shopper(0)), UserQuery(NOBODY))
    assert len(outcomes) == 2
    for outcome in outcomes:
        assert isinstance(outcome, UnsupportedError)
        assert "[train.user]" in str(outcome)
    unindexed = {key: index for key, index in tiny_state.indices.items() if key[0] != "user"}
    bare = Recommender(replace(tiny_state, indices=unindexed), tiny_configs)
    (outcome,) = ask(bare, UserQuery(shopper(0)))
    assert isinstance(outcome, UnsupportedError)
    assert "continuations" in str(outcome)


def test_look_ups_are_done_at_once_and_searches_wait(tiny_recommender: Recommender):
    assert not tiny_recommender.begin_user(UserBatch([UserQuery(NOBODY)])).pending
    for query in (UserQuery(shopper(0)), UserQuery(NOBODY, visits(*BOUGHT))):
        assert tiny_recommender.begin_user(UserBatch([query])).pending


def test_deadline_ends_the_batch_unless_a_part_is_wanted(tiny_recommender: Recommender):
    queries = [UserQuery(shopper(0)), UserQuery(NOBODY, visits(*BOUGHT)), UserQuery(NOBODY)]
    with pytest.raises(DeadlineError):
        tiny_recommender.for_user(UserBatch(queries), PAST)
    batch = UserBatch(queries, CallOptions(allow_partial=True))
    answer = tiny_recommender.for_user(batch, PAST)
    assert answer.partial
    first, second, third = answer.outcomes
    for outcome in (first, second):
        assert isinstance(outcome, Answer)
        assert outcome.shortfall == Shortfall(10, 0, ShortfallReason.DEADLINE)
    assert isinstance(third, Answer)
    assert len(third.candidates) == 10


def test_server_under_load_searches_fast_and_then_not_at_all(tiny_recommender: Recommender):
    state = tiny_recommender.state
    queries = [UserQuery(shopper(3), exclude_history=True), UserQuery(NOBODY, visits(*BOUGHT))]
    fast = tiny_recommender.begin_user(UserBatch(queries), Effort.FAST)
    assert fast.pending
    assert fast.is_degraded
    assert fast.accuracy is Accuracy.FAST
    lists = tiny_recommender.begin_user(UserBatch(queries), Effort.LISTS)
    assert not lists.pending
    assert lists.is_degraded
    popular = state.snapshot.popularity.overall().tolist()
    bought = {state.snapshot.items.row(id) for id in BOUGHT}
    for outcome, without in zip(lists.answer().outcomes, (taken(state, 3), bought), strict=True):
        assert isinstance(outcome, Answer)
        assert rows_of(outcome) == [row for row in popular if row not in without][:10]
    assert not tiny_recommender.begin_user(UserBatch([UserQuery(NOBODY)]), Effort.FAST).is_degraded


def test_serving_config_answers_and_is_named(tiny_recommender: Recommender):
    batch = UserBatch([UserQuery(shopper(0))], CallOptions(serving_config="borrowing"))
    answer = tiny_recommender.for_user(batch)
    assert answer.serving_config == "borrowing"
    (outcome,) = answer.outcomes
    assert isinstance(outcome, Answer)
    assert len(outcome.candidates) == 3
