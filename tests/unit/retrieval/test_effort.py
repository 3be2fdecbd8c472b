"""What is left out under load, and that the answer says so."""

from typing import Any

import pytest

from artifacts.accuracy import Accuracy
from artifacts.errors import OverloadedError
from retrieval.answer import Answer
from retrieval.begun import Begun
from retrieval.candidates import Source
from retrieval.deadline import Deadline
from retrieval.effort import Effort
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    FilterSpec,
    NearItem,
    NeighborBatch,
    NeighborQuery,
    SimilarBatch,
    SimilarQuery,
)
from tests.shop import COLD, item_id

KNOWN = item_id(0)
LONGER_THAN_THE_TABLE = AnswerOptions(k=30)
LIVE = CallOptions("live_only")


def similar(recommender, effort, item=KNOWN, options=None, **fields: Any) -> Any:
    batch = SimilarBatch([SimilarQuery(item, None, options)])._replace(**fields)
    begun = recommender.begin_similar(batch, effort)
    begun.finish(Deadline())
    return begun.answer()


def neighbors(recommender, effort, **fields: Any) -> Begun:
    batch = NeighborBatch([NeighborQuery(NearItem(KNOWN))])._replace(**fields)
    return recommender.begin_neighbors(batch, effort)


@pytest.mark.parametrize("effort", list(Effort))
def test_list_at_hand_is_the_same_at_every_effort_and_not_degraded(tiny_recommender, effort):
    answer = similar(tiny_recommender, effort)
    full = similar(tiny_recommender, Effort.FULL)
    assert list(answer.outcomes[0].candidates) == list(full.outcomes[0].candidates)
    assert not answer.degraded


def test_lower_accuracy_than_asked_is_told(tiny_recommender):
    answer = similar(tiny_recommender, Effort.FAST, options=LONGER_THAN_THE_TABLE)
    assert answer.degraded
    assert answer.accuracy is Accuracy.FAST
    assert Source.LIVE in {candidate.source for candidate in answer.outcomes[0].candidates}


def test_search_that_was_asked_to_be_fast_is_not_degraded(tiny_recommender):
    fast = AnswerOptions(k=30, accuracy=Accuracy.FAST)
    assert not similar(tiny_recommender, Effort.FAST, options=fast).degraded


def test_accuracy_of_an_entry_does_not_get_past_the_limit(tiny_recommender):
    accurate = AnswerOptions(k=30, accuracy=Accuracy.ACCURATE)
    batch = SimilarBatch([SimilarQuery(KNOWN, None, accurate)])
    begun = tiny_recommender.begin_similar(batch, Effort.FAST)
    (search,) = begun.run.searches
    assert search.collector.plan.accuracy is Accuracy.FAST
    assert begun.is_degraded


def test_look_ups_alone_leave_out_the_search_and_go_on_to_popular_items(tiny_recommender):
    batch = SimilarBatch([SimilarQuery(KNOWN, None, LONGER_THAN_THE_TABLE)])
    begun = tiny_recommender.begin_similar(batch, Effort.LISTS)
    assert not begun.pending
    answer = begun.answer()
    assert answer.degraded
    outcome = answer.outcomes[0]
    assert isinstance(outcome, Answer)
    sources = [candidate.source for candidate in outcome.candidates]
    assert set(sources) == {Source.PRECOMPUTED, Source.POPULAR}
    assert len(sources) == 30


def test_filters_hold_when_the_search_is_left_out(tiny_recommender):
    options = AnswerOptions(filter=FilterSpec(allowed_categories=("Dairy",)))
    outcome = similar(tiny_recommender, Effort.LISTS, options=options).outcomes[0]
    catalog = tiny_recommender.state.snapshot.catalog
    assert {catalog.category(candidate.row) for candidate in outcome.candidates} == {"Dairy"}


def test_entry_that_only_a_search_could_answer_is_refused(tiny_recommender):
    (outcome,) = similar(tiny_recommender, Effort.LISTS, call=LIVE).outcomes
    assert isinstance(outcome, OverloadedError)


def test_borrowed_list_needs_no_search_and_is_served_still(tiny_recommender):
    call = CallOptions("borrowing")
    answer = similar(tiny_recommender, Effort.LISTS, COLD, call=call)
    full = similar(tiny_recommender, Effort.FULL, COLD, call=call)
    assert [c.row for c in answer.outcomes[0].candidates]
    assert answer.degraded or answer.outcomes == full.outcomes


def test_neighbours_are_searched_fast_then_refused(tiny_recommender):
    assert neighbors(tiny_recommender, Effort.FAST).is_degraded
    with pytest.raises(OverloadedError, match="lists alone"):
        neighbors(tiny_recommender, Effort.LISTS)


def test_exact_search_is_the_first_to_be_refused(tiny_recommender):
    assert not neighbors(tiny_recommender, Effort.FULL, exact=True).is_degraded
    with pytest.raises(OverloadedError, match="no exact search"):
        neighbors(tiny_recommender, Effort.FAST, exact=True)
