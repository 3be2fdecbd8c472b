from typing import Any

import numpy as np
import pytest

from artifacts.errors import (
    ConfigError,
    DeadlineError,
    RequestError,
    UnknownItemError,
    UnsupportedError,
)
from artifacts.relation import Relation, ScoreKind
from retrieval.answer import Answer, Shortfall, ShortfallReason, Stage
from retrieval.candidates import Candidate, PlainList, Source
from retrieval.config import RetrievalConfig, ServingConfig
from retrieval.deadline import Deadline
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    FilterSpec,
    NewItem,
    SimilarBatch,
    SimilarQuery,
    UnknownItemPolicy,
)
from retrieval.recommender import Recommender
from tests.shop import COLD, ITEMS, TABLE_K, item_id

PAST = Deadline(0.0, clock=lambda: 1.0)


def one(recommender: Recommender, query: SimilarQuery, **fields: Any) -> Answer:
    outcome = recommender.similar(SimilarBatch([query])._replace(**fields)).outcomes[0]
    assert isinstance(outcome, Answer), outcome
    return outcome


def test_precomputed_answer_is_the_head_of_the_table_and_needs_no_search(tiny_recommender):
    begun = tiny_recommender.begin_similar(SimilarBatch([SimilarQuery(item_id(3))]))
    assert not begun.pending
    rows, scores = tiny_recommender.state.snapshot.neighbors["cf", Relation.ALTERNATIVES].lookup(3)
    (answer,) = begun.answer().outcomes
    assert list(answer.candidates) == [
        Candidate(int(row), float(score), ScoreKind.COSINE, Source.PRECOMPUTED, rank)
        for rank, (row, score) in enumerate(zip(rows[:10], scores[:10], strict=True), 1)
    ]
    assert answer.shortfall is None


def test_short_way_and_long_way_agree(tiny_recommender):
    plain = one(tiny_recommender, SimilarQuery(item_id(3)))
    long = one(tiny_recommender, SimilarQuery(item_id(3)), call=CallOptions(debug=True))
    assert list(plain.candidates) == list(long.candidates)
    assert len(long.similarities) == 10


def test_only_what_the_table_lacks_waits_for_a_search(tiny_recommender):
    def pending(k: int) -> bool:
        options = AnswerOptions(k=k)
        batch = SimilarBatch([SimilarQuery(item_id(3), options=options)])
        return bool(tiny_recommender.begin_similar(batch).pending)

    assert [pending(TABLE_K), pending(TABLE_K + 1)] == [False, True]


def test_sources_fill_one_after_the_other_without_repeats(tiny_recommender):
    answer = one(tiny_recommender, SimilarQuery(item_id(3)), defaults=AnswerOptions(k=235))
    sources = [candidate.source for candidate in answer.candidates]
    assert sources == sorted(sources, key=list(ServingConfig().sources).index)
    rows = [candidate.row for candidate in answer.candidates]
    assert len(set(rows)) == len(rows)
    # 216 items have a vector; of the 24 others, 20 were ever sold.
    assert sources.count(Source.PRECOMPUTED) == TABLE_K
    assert sources.count(Source.LIVE) == 215 - TABLE_K
    assert sources.count(Source.POPULAR) == 20
    assert answer.shortfall is None


def test_exhausted_sources_are_named_as_the_reason(tiny_recommender):
    answer = one(tiny_recommender, SimilarQuery(item_id(3)), defaults=AnswerOptions(k=ITEMS))
    assert answer.shortfall == Shortfall(ITEMS, 235, ShortfallReason.EXHAUSTED)
    assert len(answer.candidates) == 235


def test_sources_of_the_request_replace_those_of_the_config(tiny_recommender):
    live = one(tiny_recommender, SimilarQuery(item_id(3)), sources=[Source.LIVE])
    assert {candidate.source for candidate in live.candidates} == {Source.LIVE}
    popular = one(tiny_recommender, SimilarQuery(item_id(3)), sources=[Source.POPULAR])
    assert [candidate.row for candidate in popular.candidates] == list(range(7, 47, 4))


def test_live_search_in_a_cut_space_stays_in_the_category_like_the_table(tiny_recommender):
    call = CallOptions(serving_config="by_content")
    answer = one(tiny_recommender, SimilarQuery(item_id(4)), call=call, sources=[Source.LIVE])
    table = tiny_recommender.state.snapshot.neighbors["content", Relation.ALTERNATIVES]
    rows, _ = table.lookup(4)
    assert [candidate.row for candidate in answer.candidates] == rows[:10].tolist()


def test_live_search_in_a_cut_space_goes_where_the_filter_points(tiny_recommender):
    call = CallOptions(serving_config="by_content")
    options = AnswerOptions(filter=FilterSpec(allowed_categories=("Dairy", "Produce")))
    query = SimilarQuery(item_id(4), options=options)
    answer = one(tiny_recommender, query, call=call, sources=[Source.LIVE])
    catalog = tiny_recommender.state.snapshot.catalog
    found = {catalog.category(candidate.row) for candidate in answer.candidates}
    assert found == {"Dairy", "Produce"}
    assert len(answer.candidates) == 10


def test_removals_count_each_item_once(tiny_recommender):
    spec = FilterSpec(excluded_ids=[item_id(row) for row in range(0, ITEMS, 2)])
    options = AnswerOptions(k=ITEMS, filter=spec)
    answer = one(tiny_recommender, SimilarQuery(item_id(3), options=options))
    assert answer.shortfall is not None
    assert answer.shortfall.reason is ShortfallReason.FILTERED
    # 120 even rows: all in the space; those ever sold are refused again as popular ones.
    assert answer.removed[Stage.EXCLUDED] == 120 + 100


def test_unknown_item_follows_the_policy(tiny_recommender):
    def ask(policy: UnknownItemPolicy) -> Any:
        options = AnswerOptions(unknown_items=policy)
        batch = SimilarBatch([SimilarQuery("nowhere", options=options)])
        return tiny_recommender.similar(batch).outcomes[0]

    assert isinstance(ask(UnknownItemPolicy.FAIL), UnknownItemError)
    skipped = ask(UnknownItemPolicy.SKIP)
    assert (skipped.candidates, skipped.skipped) == ((), ("nowhere",))
    assert skipped.shortfall.reason is ShortfallReason.ALL_SKIPPED
    fallen = ask(UnknownItemPolicy.FALL_BACK)
    assert [candidate.row for candidate in fallen.candidates] == list(range(10))


@pytest.mark.parametrize(
    ("path", "first"), [("Dairy > Milk", 1), ("Dairy", 1), ("Moon > Rock", 0), ("", 0)]
)
def test_new_item_falls_back_to_its_category_if_that_is_known(tiny_recommender, path, first):
    query = SimilarQuery("nowhere", NewItem(category_path=path))
    assert one(tiny_recommender, query).candidates[0].row == first


def test_no_source_that_knows_the_item_is_an_error_of_the_entry_alone(tiny_recommender):
    batch = SimilarBatch(
        [SimilarQuery(COLD), SimilarQuery(item_id(0))], sources=[Source.PRECOMPUTED]
    )
    cold, known = tiny_recommender.similar(batch).outcomes
    assert isinstance(cold, UnknownItemError)
    assert len(known.candidates) == 10


def test_relation_that_the_space_lacks_is_an_error_of_every_entry(tiny_recommender):
    call = CallOptions(serving_config="by_content")
    queries = [SimilarQuery(item_id(0)), SimilarQuery(COLD)]
    batch = SimilarBatch(queries, call=call, relation=Relation.CONTINUATIONS)
    outcomes = tiny_recommender.similar(batch).outcomes
    assert [type(outcome) for outcome in outcomes] == [UnsupportedError] * 2


def test_deadline_ends_a_search_but_not_a_look_up(tiny_recommender):
    table = SimilarBatch([SimilarQuery(item_id(0))])
    assert tiny_recommender.similar(table, PAST).outcomes
    search = table._replace(sources=[Source.LIVE])
    with pytest.raises(DeadlineError):
        tiny_recommender.similar(search, PAST)


def test_partial_answer_holds_what_was_ready(tiny_recommender):
    batch = SimilarBatch(
        [SimilarQuery(item_id(0)), SimilarQuery(item_id(2), options=AnswerOptions(k=50))],
        call=CallOptions(allow_partial=True),
    )
    answer = tiny_recommender.similar(batch, PAST)
    whole, cut = answer.outcomes
    assert answer.partial
    assert (len(whole.candidates), whole.shortfall) == (10, None)
    assert len(cut.candidates) == TABLE_K
    assert cut.shortfall.reason is ShortfallReason.DEADLINE


def test_batch_answers_equal_single_ones(tiny_recommender):
    rng = np.random.default_rng(5)
    queries = [
        SimilarQuery(item_id(int(row)), options=AnswerOptions(k=int(k)))
        for row, k in zip(rng.integers(0, ITEMS, 60), rng.integers(1, 90, 60), strict=True)
    ]
    together = tiny_recommender.similar(SimilarBatch(queries)).outcomes
    for query, outcome in zip(queries, together, strict=True):
        alone = one(tiny_recommender, query)
        assert list(outcome.candidates) == list(alone.candidates)


def test_cancelled_work_stops_before_its_next_stage(tiny_recommender):
    deadline = Deadline()
    deadline.cancel()
    with pytest.raises(DeadlineError, match="the caller has gone"):
        tiny_recommender.similar(
            SimilarBatch([SimilarQuery(item_id(0))], sources=[Source.LIVE]), deadline
        )


@pytest.mark.parametrize("size", [0, 1_001])
def test_batch_of_wrong_size_is_refused(tiny_recommender, size):
    with pytest.raises(RequestError, match=f"1 to 1000 entries, got {size}"):
        tiny_recommender.similar(SimilarBatch([SimilarQuery(item_id(0))] * size))


def test_unknown_serving_config_is_refused_by_name(tiny_recommender):
    call = CallOptions(serving_config="nightly")
    with pytest.raises(RequestError, match=r"'offer_page'.*'nightly'"):
        tiny_recommender.similar(SimilarBatch([SimilarQuery(item_id(0))], call=call))


def test_config_that_does_not_fit_the_snapshot_is_refused(tiny_state):
    configs = RetrievalConfig(serving={"pictures": ServingConfig(space="image")})
    with pytest.raises(ConfigError, match=r"\[serving\.pictures\]"):
        Recommender(tiny_state, configs)


def test_plain_list_is_a_sequence_of_candidates():
    plain = PlainList([7, 8], [0.9, 0.8], ScoreKind.COSINE, Source.PRECOMPUTED)
    first, second = plain
    assert (first.row, first.rank, second.row, second.rank) == (7, 1, 8, 2)
    assert plain[-1] == second
    assert plain[:1] == [first]
    with pytest.raises(IndexError):
        plain[2]
