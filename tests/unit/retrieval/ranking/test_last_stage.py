"""Answers of serving configs, ordered by the model in the end."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from artifacts.errors import ConfigError, DeadlineError, RequestError
from artifacts.relation import ScoreKind
from retrieval.answer import ShortfallReason
from retrieval.candidates import Source
from retrieval.config import RetrievalConfig
from retrieval.deadline import Deadline
from retrieval.effort import Effort
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    FilterSpec,
    SessionBatch,
    SessionQuery,
    SimilarBatch,
    SimilarQuery,
    UnknownItemPolicy,
    UserBatch,
    UserQuery,
    Visit,
)
from retrieval.ranking.config import RerankConfig
from retrieval.ranking.context import context_of
from retrieval.recommender import Recommender
from tests.shop import item_id
from tests.shop_shoppers import shopper

FETCHED = 60
SOURCES = ("precomputed", "live", "hybrid", "popular")
CONFIGS = RetrievalConfig.model_validate(
    {
        "serving": {
            "plain": {"sources": SOURCES},
            "ranked": {"sources": SOURCES, "rerank": {"candidates": FETCHED}},
            "ranked_list": {"sources": ["precomputed"], "rerank": {}},
            "ranked_mixture": {
                "sources": SOURCES,
                "session": {"strategy": "interleave"},
                "rerank": {"candidates": FETCHED},
            },
        }
    }
)
VISITS = [Visit(item_id(row)) for row in (2, 30, 45)]
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def recommender(ranked_state) -> Recommender:
    return Recommender(ranked_state, CONFIGS)


def similar(recommender: Recommender, call: CallOptions, options: AnswerOptions) -> Any:
    queries = [SimilarQuery(item_id(5), options=options), SimilarQuery(item_id(1), options=options)]
    return recommender.similar(SimilarBatch(queries, call))


def sessions(recommender: Recommender, call: CallOptions, options: AnswerOptions) -> Any:
    queries = [SessionQuery(VISITS, options), SessionQuery([Visit(item_id(21))], options)]
    return recommender.for_session(SessionBatch(queries, call))


def users(recommender: Recommender, call: CallOptions, options: AnswerOptions) -> Any:
    queries = [
        UserQuery(shopper(4), options=options),
        UserQuery("nobody", VISITS, options=options),
        UserQuery("nobody", [Visit(item_id(2))], options=options),
    ]
    return recommender.for_user(UserBatch(queries, call))


CONTEXTS: dict[Ask, list[dict[str, Any]]] = {
    similar: [{"item_id": item_id(5)}, {"item_id": item_id(1)}],
    sessions: [{"visits": VISITS}, {"visits": [Visit(item_id(21))]}],
    users: [
        {"user_id": shopper(4)},
        {"visits": VISITS, "user_id": "nobody"},
        {"visits": [Visit(item_id(2))], "user_id": "nobody"},
    ],
}


@pytest.mark.parametrize("ask", CONTEXTS)
@pytest.mark.parametrize("k", [7, FETCHED])
def test_the_best_of_what_was_fetched_are_kept_in_the_order_of_the_model(
    recommender, ranked_state, ask, k
):
    fetched = ask(recommender, CallOptions("plain"), AnswerOptions(k=FETCHED)).outcomes
    ranked = ask(recommender, CallOptions("ranked"), AnswerOptions(k=k)).outcomes
    ranker = ranked_state.require_ranker()
    for context, before, after in zip(CONTEXTS[ask], fetched, ranked, strict=True):
        rows = np.array([candidate.row for candidate in before.candidates], dtype=np.int32)
        known, _ = context_of(
            ranked_state.snapshot, context.get("visits", ()), **without_visits(context)
        )
        values = ranker.score(known, rows).values
        best = np.argsort(-values, kind="stable")[:k].tolist()
        assert [each.row for each in after.candidates] == rows[best].tolist()
        assert [each.score for each in after.candidates] == values[best].tolist()
        for at, candidate in zip(best, after.candidates, strict=True):
            unranked = before.candidates[at]
            assert candidate.kind is ScoreKind.RANKER
            assert (candidate.source, candidate.rank) == (unranked.source, unranked.rank)
            assert candidate.anchor == unranked.anchor
            assert candidate.unmixed == (unranked.score, unranked.kind)


def without_visits(context: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in context.items() if name != "visits"}


def test_mixtures_keep_the_list_that_an_item_is_owed_to(recommender):
    answer = sessions(recommender, CallOptions("ranked_mixture"), AnswerOptions(k=9)).outcomes[0]
    assert {candidate.mixed_from for candidate in answer.candidates} <= {"interleave", ""}
    assert any(candidate.mixed_from for candidate in answer.candidates)
    mixed = [candidate for candidate in answer.candidates if candidate.mixed_from]
    assert all(candidate.unmixed.kind is not ScoreKind.RANK_FUSION for candidate in mixed)


def test_usual_k_is_widened_and_cut_as_well(recommender):
    queries = [SimilarQuery(item_id(5)), SimilarQuery(item_id(6), options=AnswerOptions(k=3))]
    batch = SimilarBatch(queries, CallOptions("ranked"), AnswerOptions(k=5))
    lengths = [len(each.candidates) for each in recommender.similar(batch).outcomes]
    assert lengths == [5, 3]


def test_short_answers_fall_short_of_what_was_asked(recommender):
    (long, short) = similar(recommender, CallOptions("ranked_list"), AnswerOptions(k=15)).outcomes
    assert long.shortfall is None
    assert len(long.candidates) == 15
    assert isinstance(short, RequestError)  # without a list
    (long, _) = similar(recommender, CallOptions("ranked_list"), AnswerOptions(k=40)).outcomes
    assert (long.shortfall.requested, long.shortfall.returned) == (40, len(long.candidates))
    assert long.shortfall.reason is ShortfallReason.EXHAUSTED


def test_filters_hold_for_all_that_is_fetched(recommender):
    options = AnswerOptions(k=8, filter=FilterSpec(allowed_categories=("Dairy",)))
    for answer in sessions(recommender, CallOptions("ranked"), options).outcomes:
        assert {candidate.row % 4 for candidate in answer.candidates} == {1}


def test_similarities_of_debug_stay_with_their_candidates(recommender):
    plain = similar(recommender, CallOptions("plain", debug=True), AnswerOptions(k=FETCHED))
    ranked = similar(recommender, CallOptions("ranked", debug=True), AnswerOptions(k=10))
    before, after = plain.outcomes[0], ranked.outcomes[0]
    rows = [candidate.row for candidate in before.candidates]
    measured = dict(zip(rows, before.similarities, strict=True))
    expected = [measured[candidate.row] for candidate in after.candidates]
    np.testing.assert_array_equal(after.similarities, expected)


def test_entries_that_fail_or_are_skipped_stay_so(recommender):
    queries = [
        SimilarQuery(item_id(5), options=AnswerOptions(k=0)),
        SimilarQuery("nowhere", options=AnswerOptions(unknown_items=UnknownItemPolicy.FAIL)),
        SimilarQuery("nowhere", options=AnswerOptions(k=4, unknown_items=UnknownItemPolicy.SKIP)),
        SimilarQuery("nowhere", options=AnswerOptions(k=4)),
    ]
    answer = recommender.similar(SimilarBatch(queries, CallOptions("ranked")))
    bad, unknown, skipped, popular = answer.outcomes
    assert isinstance(bad, RequestError)
    assert bad.reason == "K_OUT_OF_RANGE"
    assert isinstance(unknown, RequestError)
    assert skipped.candidates == ()
    assert skipped.shortfall.requested == 4
    assert {each.source for each in popular.candidates} == {Source.POPULAR}
    assert len(popular.candidates) == 4


@pytest.mark.parametrize("effort", [Effort.FULL, Effort.FAST])
def test_answers_are_ranked_while_there_is_time_to_search(recommender, effort):
    begun = recommender.begin_similar(
        SimilarBatch([SimilarQuery(item_id(5))], CallOptions("ranked")), effort
    )
    assert begun.pending
    begun.finish(Deadline())
    (answer,) = begun.answer().outcomes
    assert {each.kind for each in answer.candidates} == {ScoreKind.RANKER}


def test_ranking_is_left_out_first_and_said_to_be(recommender):
    batches = [
        (
            recommender.begin_similar,
            SimilarBatch([SimilarQuery(item_id(5))], CallOptions("ranked")),
        ),
        (recommender.begin_session, SessionBatch([SessionQuery(VISITS)], CallOptions("ranked"))),
        (recommender.begin_user, UserBatch([UserQuery(shopper(1))], CallOptions("ranked"))),
    ]
    for begin, batch in batches:
        begun = begin(batch, Effort.LISTS)
        begun.finish(Deadline())
        answer = begun.answer()
        assert answer.degraded
        assert len(answer.outcomes[0].candidates) == 10
        assert ScoreKind.RANKER not in {each.kind for each in answer.outcomes[0].candidates}


@pytest.mark.parametrize("ask", CONTEXTS)
def test_calls_of_configs_without_the_stage_are_not_ranked(recommender, ask):
    answer = ask(recommender, CallOptions("plain"), AnswerOptions(k=5))
    kinds = {each.kind for outcome in answer.outcomes for each in outcome.candidates}
    assert ScoreKind.RANKER not in kinds


def test_late_answers_fail_unless_what_there_is_is_wanted(recommender):
    batch = SimilarBatch([SimilarQuery(item_id(5))], CallOptions("ranked"))
    with pytest.raises(DeadlineError):
        recommender.similar(batch, Deadline.after(0))


def test_late_answers_keep_the_order_of_their_sources(recommender):
    moments = iter([0.0, 9.0])
    deadline = Deadline(5.0, clock=lambda: next(moments, 9.0))
    queries = [SimilarQuery(item_id(row)) for row in (5, 6, 7)]
    call = CallOptions("ranked_list", allow_partial=True)
    ranked, *cut = recommender.similar(SimilarBatch(queries, call), deadline).outcomes
    plain = recommender.similar(SimilarBatch(queries, CallOptions("plain"))).outcomes
    assert {each.kind for each in ranked.candidates} == {ScoreKind.RANKER}
    for late, usual in zip(cut, plain[1:], strict=True):
        rows = [candidate.row for candidate in usual.candidates]
        assert [candidate.row for candidate in late.candidates] == rows


def test_partial_answers_say_so(recommender):
    deadline = Deadline(5.0, clock=lambda: 9.0)
    call = CallOptions("ranked", allow_partial=True)
    answer = recommender.for_session(SessionBatch([SessionQuery(VISITS)], call), deadline)
    assert answer.partial
    assert len(answer.outcomes[0].candidates) <= 10


def test_snapshots_without_a_ranker_are_unfit_for_such_a_config(tiny_state):
    with pytest.raises(ConfigError, match=r"serving\.ranked.*has no ranker"):
        Recommender(tiny_state, CONFIGS)


@pytest.mark.parametrize("settings", [{"candidates": 0}, {"candidates": 1001}, {"depth": 3}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValidationError):
        RerankConfig.model_validate(settings)
