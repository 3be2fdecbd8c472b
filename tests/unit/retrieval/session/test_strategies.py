"""What sessions are answered, against exact search and lists mixed by hand."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from artifacts.arrays import FloatVector, unit_rows
from artifacts.errors import ConfigError, DeadlineError, RequestError, UnknownItemError
from artifacts.relation import Relation, ScoreKind
from indexer.bands_config import BandsConfig
from retrieval.answer import ShortfallReason, Stage
from retrieval.candidates import Source
from retrieval.config import RetrievalConfig, ServingConfig
from retrieval.deadline import Deadline
from retrieval.effort import Effort
from retrieval.mixing import WeightedList
from retrieval.mixing.rank_fusion import fuse_ranks
from retrieval.queries import (
    DEFAULT_CALL,
    AnswerOptions,
    CallOptions,
    FilterSpec,
    NearDuplicateBand,
    SessionBatch,
    SessionQuery,
    SessionStrategy,
    SimilarBatch,
    SimilarQuery,
    UnknownItemPolicy,
    Visit,
)
from retrieval.recommender import Recommender
from retrieval.session.config import SessionConfig, SessionList
from retrieval.session.interests import find_interests
from retrieval.session.visited import Visited, visited_rows
from retrieval.session_knn import session_knn
from retrieval.session_knn_config import SessionKnnConfig
from retrieval.state import ServingState, load_state
from retrieval.visit_source import visit_source
from tests.shop import TABLE_K, build_shop, item_id

SOURCES = (Source.PRECOMPUTED, Source.LIVE, Source.HYBRID, Source.POPULAR)
VISITS = [Visit(item_id(row)) for row in (2, 30, 45, 30, 12, 77)]
COLD = [Visit(item_id(row)) for row in (1, 21)]
"""Items without a collaborative vector."""
STRATEGIES = list(SessionStrategy)


def recommender_of(
    state: ServingState,
    sources: tuple[Source, ...] = SOURCES,
    relation: Relation = Relation.ALTERNATIVES,
    **session: Any,
) -> Recommender:
    config = ServingConfig(
        sources=sources, relation=relation, session=SessionConfig.model_validate(session)
    )
    return Recommender(state, RetrievalConfig(serving={"home": config}))


def ask(
    recommender: Recommender,
    visits: Sequence[Visit],
    strategy: str,
    k: int = 10,
    call: CallOptions = DEFAULT_CALL,
    **options: Any,
) -> Any:
    batch = SessionBatch(
        [SessionQuery(visits)], call, AnswerOptions(k=k, **options), SessionStrategy(strategy)
    )
    return recommender.for_session(batch).outcomes[0]


def rows_of(answer: Any) -> list[int]:
    return [candidate.row for candidate in answer.candidates]


def visited_of(state: ServingState, visits: Sequence[Visit]) -> Visited:
    return visited_rows(state.snapshot.items, visits, SessionConfig())


def exact_rows(
    state: ServingState,
    relation: Relation,
    query: FloatVector,
    without: Collection[int],
    passing: Collection[int] | None = None,
) -> list[int]:
    """All rows of the space, best first, without some."""
    table = state.snapshot.spaces["cf"]
    targets = np.asarray(table.targets(relation))
    if relation is Relation.ALTERNATIVES:
        targets = unit_rows(targets)
    order = np.argsort(-(targets @ query), kind="stable")
    ranked = [int(table.rows[at]) for at in order]
    return [row for row in ranked if row not in without and (passing is None or row in passing)]


def mean_of(state: ServingState, visits: Sequence[Visit], relation: Relation) -> FloatVector:
    visited = visited_of(state, visits)
    table = state.snapshot.spaces["cf"]
    vectors = np.asarray(table.vectors)[table.positions(visited.rows)]
    if relation is Relation.ALTERNATIVES:
        vectors = unit_rows(vectors)
    mean: FloatVector = (visited.weights @ vectors).astype(np.float32)
    return mean


def own_list(recommender: Recommender, row: int, without: Collection[int], k: int) -> list[int]:
    """The list of a visited item as `similar` gives it, without what was visited."""
    spec = FilterSpec(excluded_ids=[item_id(each) for each in without])
    sources = [source for source in SOURCES if source is not Source.POPULAR]
    batch = SimilarBatch(
        [SimilarQuery(item_id(row))], defaults=AnswerOptions(k=k, filter=spec), sources=sources
    )
    return rows_of(recommender.similar(batch).outcomes[0])


@pytest.mark.parametrize("relation", list(Relation))
@pytest.mark.parametrize("k", [5, 40])
def test_aggregate_is_exact_search_near_the_weighted_mean(tiny_state, relation, k):
    answer = ask(recommender_of(tiny_state, relation=relation), VISITS, "aggregate", k)
    visited = visited_of(tiny_state, VISITS)
    query = mean_of(tiny_state, VISITS, relation)
    assert rows_of(answer) == exact_rows(tiny_state, relation, query, visited.own)[:k]
    assert {candidate.kind for candidate in answer.candidates} == {relation.score_kind}
    assert {candidate.source for candidate in answer.candidates} == {Source.LIVE}


def test_dislike_moves_the_mean_away(tiny_state):
    visits = [*VISITS, Visit(item_id(90), weight=-2.0)]
    answer = ask(recommender_of(tiny_state), visits, "aggregate", 8)
    query = mean_of(tiny_state, visits, Relation.ALTERNATIVES)
    own = visited_of(tiny_state, visits).own
    assert rows_of(answer) == exact_rows(tiny_state, Relation.ALTERNATIVES, query, own)[:8]


def test_filters_work_inside_the_search_near_the_mean(tiny_state):
    catalog = tiny_state.snapshot.catalog
    passing = {row for row in range(len(catalog)) if catalog.category(row) == "Dairy"}
    answer = ask(
        recommender_of(tiny_state),
        VISITS,
        "aggregate",
        12,
        filter=FilterSpec(allowed_categories=["Dairy"]),
    )
    query = mean_of(tiny_state, VISITS, Relation.ALTERNATIVES)
    own = visited_of(tiny_state, VISITS).own
    expected = exact_rows(tiny_state, Relation.ALTERNATIVES, query, own, passing)
    assert rows_of(answer) == expected[:12]


def test_minimum_similarity_is_measured_to_the_mean(tiny_state):
    answer = ask(
        recommender_of(tiny_state, sources=(Source.LIVE,)),
        VISITS,
        "aggregate",
        30,
        CallOptions(debug=True),
        filter=FilterSpec(min_similarity=0.7),
    )
    assert 0 < len(answer.candidates) < 30
    assert min(answer.similarities) >= 0.7
    assert answer.shortfall.reason is ShortfallReason.FILTERED


@pytest.mark.parametrize("k", [6, 30])
def test_interleave_fuses_the_lists_of_the_visited_items(tiny_state, k):
    recommender = recommender_of(tiny_state)
    answer = ask(recommender, VISITS, "interleave", k)
    visited = visited_of(tiny_state, VISITS)
    weights = visited.weights / visited.weights.sum()
    lists = [
        WeightedList(own_list(recommender, row, visited.own, k), weight)
        for row, weight in zip(visited.own, weights, strict=True)
    ]
    picks = fuse_ranks(lists, k)
    assert rows_of(answer) == [lists[pick.list].rows[pick.place] for pick in picks]
    for candidate, pick in zip(answer.candidates, picks, strict=True):
        assert candidate.anchor == visited.own[pick.list]
        assert candidate.mixed_from == "interleave"
        assert candidate.kind is ScoreKind.RANK_FUSION
        assert candidate.score == pytest.approx(pick.score)
        assert candidate.unmixed.kind is ScoreKind.COSINE


def test_only_the_heaviest_items_lend_their_lists(tiny_state):
    answer = ask(recommender_of(tiny_state, max_lists=2), VISITS, "interleave", 20)
    assert {candidate.anchor for candidate in answer.candidates} == {30, 77}


def test_the_list_of_one_visited_item_keeps_its_scores(tiny_state):
    recommender = recommender_of(tiny_state)
    answer = ask(recommender, VISITS[:1], "interleave", 10)
    assert rows_of(answer) == own_list(recommender, 2, (2,), 10)
    for candidate in answer.candidates:
        assert (candidate.kind, candidate.mixed_from) == (ScoreKind.COSINE, "")
        assert (candidate.anchor, candidate.unmixed) == (2, None)


def test_interests_are_the_lists_of_their_medoids(tiny_state):
    recommender = recommender_of(tiny_state, max_interests=2, interest_distance=1.2)
    answer = ask(recommender, VISITS, "interests", 12)
    visited = visited_of(tiny_state, VISITS)
    table = tiny_state.snapshot.spaces["cf"]
    vectors = unit_rows(np.asarray(table.vectors)[table.positions(visited.rows)])
    found = find_interests(vectors, visited.weights, most=2, distance=1.2)
    total = sum(interest.weight for interest in found)
    lists = [
        WeightedList(
            own_list(recommender, int(visited.rows[interest.medoid]), visited.own, 12),
            interest.weight / total,
        )
        for interest in found
    ]
    picks = fuse_ranks(lists, 12)
    assert len(found) == 2
    assert rows_of(answer) == [lists[pick.list].rows[pick.place] for pick in picks]
    assert {candidate.mixed_from for candidate in answer.candidates} == {"interests"}


@pytest.mark.parametrize("name", [SessionList.SESSION_KNN, SessionList.CO_OCCURRENCE])
def test_a_further_list_alone_answers_as_its_table_does(tiny_state, name):
    recommender = recommender_of(tiny_state, lists={name: 1.0})
    answer = ask(recommender, VISITS, "aggregate", 10)
    visited = visited_of(tiny_state, VISITS)
    source = visit_source(tiny_state, Source(name.value), SessionKnnConfig())
    ranked = source.rank(visited.trail, visited.trail_weights.astype(np.float32), 240)
    expected = [row for row in ranked.rows.tolist() if row not in visited.own]
    assert rows_of(answer) == expected[:10]
    assert {candidate.source.value for candidate in answer.candidates} == {name.value}
    if name is SessionList.SESSION_KNN:
        rows, _ = session_knn(
            tiny_state.snapshot.recent_sessions, visited.trail, 240, SessionKnnConfig()
        )
        assert ranked.rows.tolist() == rows.tolist()


def test_lists_of_all_kinds_are_mixed_by_their_weights(tiny_state):
    lists = {"strategy": 1.0, "session_knn": 0.5, "co_occurrence": 2.0}
    answer = ask(recommender_of(tiny_state, lists=lists), VISITS, "aggregate", 15)
    alone = [
        rows_of(ask(recommender_of(tiny_state, lists={name: 1.0}), VISITS, "aggregate", 15))
        for name in lists
    ]
    each = [WeightedList(rows, w) for rows, w in zip(alone, lists.values(), strict=True)]
    picks = fuse_ranks(each, 15)
    assert rows_of(answer) == [each[pick.list].rows[pick.place] for pick in picks]
    names = ["aggregate", "session_knn", "co_occurrence"]
    assert [c.mixed_from for c in answer.candidates] == [names[pick.list] for pick in picks]


@pytest.mark.parametrize("mixing", ["round_robin", "weighted", "team_draft", "calibrated"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nothing_visited_and_nothing_twice(tiny_state, strategy, mixing):
    recommender = recommender_of(tiny_state, mixing=mixing)
    visits = [*VISITS, *COLD, Visit(item_id(50), weight=-1.0), Visit("unknown")]
    answer = ask(recommender, visits, strategy, 60)
    rows = rows_of(answer)
    assert len(rows) == len(set(rows)) == 60
    assert not set(rows) & set(visited_of(tiny_state, visits).own)
    assert answer.skipped == ("unknown",)
    assert rows_of(ask(recommender, visits, strategy, 60)) == rows


def test_calibrated_mixing_keeps_the_categories_of_the_visits(tiny_state):
    # Rows of one category are four apart: three visits of Dairy and one of Bakery.
    visits = [Visit(item_id(row)) for row in (5, 9, 13, 8)]
    recommender = recommender_of(
        tiny_state, mixing="calibrated", calibration=1.0, half_life_visits=None
    )
    answer = ask(recommender, visits, "interleave", 8)
    categories = [tiny_state.snapshot.catalog.category(row) for row in rows_of(answer)]
    assert categories.count("Dairy") == 6
    assert categories.count("Bakery") == 2


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_items_without_a_vector_borrow_their_lists(tiny_state, strategy):
    answer = ask(recommender_of(tiny_state), COLD[:1], strategy, 10)
    anchors = tiny_state.anchors.of_item(1)
    assert {candidate.source for candidate in answer.candidates} == {Source.HYBRID}
    assert {candidate.anchor for candidate in answer.candidates} == {int(anchors.rows[0])}


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "visits",
    [[Visit("unknown")], [Visit(item_id(2), weight=-1.0)], [Visit(item_id(2), weight=0.0)]],
)
def test_what_is_popular_answers_where_nothing_is_liked(tiny_state, strategy, visits):
    answer = ask(recommender_of(tiny_state), visits, strategy, 5)
    assert {candidate.source for candidate in answer.candidates} == {Source.POPULAR}
    assert len(answer.candidates) == 5
    assert 2 not in rows_of(answer) or visits[0].item_id == "unknown"


def test_without_popular_the_answer_may_be_short(tiny_state):
    recommender = recommender_of(tiny_state, sources=(Source.PRECOMPUTED,))
    answer = ask(recommender, VISITS[:1], "interleave", 50)
    assert len(answer.candidates) == TABLE_K
    assert answer.shortfall.reason is ShortfallReason.EXHAUSTED


def test_policies_speak_of_sessions_of_nothing_known(tiny_state):
    recommender = recommender_of(tiny_state)
    nothing = [Visit("x"), Visit("y")]
    skipped = ask(recommender, nothing, "aggregate", unknown_items=UnknownItemPolicy.SKIP)
    assert (skipped.skipped, skipped.shortfall.reason) == (("x", "y"), ShortfallReason.ALL_SKIPPED)
    failed = ask(recommender, nothing, "aggregate", unknown_items=UnknownItemPolicy.FAIL)
    assert isinstance(failed, UnknownItemError)
    assert failed.field == "visits[0].item_id"
    known = ask(recommender, [*nothing, *VISITS], "aggregate", unknown_items=UnknownItemPolicy.FAIL)
    assert len(known.candidates) == 10


def test_one_bad_session_disturbs_no_other(tiny_state):
    recommender = recommender_of(tiny_state)
    queries = [SessionQuery([]), SessionQuery(VISITS), SessionQuery([Visit("", weight=1.0)])]
    outcomes: Any = recommender.for_session(SessionBatch(queries)).outcomes
    empty, good, unnamed = outcomes
    assert (type(empty), empty.field, empty.reason) == (RequestError, "visits", "NO_VISITS")
    assert len(good.candidates) == 10
    assert unnamed.field == "visits[0].item_id"


def test_a_batch_answers_as_its_sessions_do_alone(tiny_state):
    recommender = recommender_of(tiny_state, lists={"strategy": 1, "session_knn": 1})
    for strategy in STRATEGIES:
        sessions = [VISITS, VISITS[:2], COLD, [Visit("x")], VISITS[3:]]
        batch = SessionBatch([SessionQuery(visits) for visits in sessions], strategy=strategy)
        together = [rows_of(answer) for answer in recommender.for_session(batch).outcomes]
        assert together == [rows_of(ask(recommender, visits, strategy)) for visits in sessions]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_near_duplicates_of_a_mixture_are_held_apart(tiny_state, strategy):
    spec = FilterSpec(near_duplicates=NearDuplicateBand(max_similarity_between_results=0.6))
    answer = ask(recommender_of(tiny_state), VISITS, strategy, 20, filter=spec)
    table = tiny_state.snapshot.spaces["cf"]
    rows = np.array(rows_of(answer), dtype=np.int32)
    positions = table.positions(rows)
    vectors = unit_rows(np.asarray(table.vectors)[positions[positions >= 0]])
    cosines = vectors @ vectors.T - np.eye(len(vectors))
    assert cosines.max() < 0.6
    assert answer.removed[Stage.TOO_CLOSE_TO_RESULT] > 0


def test_bands_of_a_space_hold_for_sessions(tmp_path):
    root = build_shop(tmp_path, bands=BandsConfig(max_to_source=0.7, max_between=0.7))
    state = load_state(root.current(hint="build_shop"))
    table = state.snapshot.spaces["cf"]
    for strategy in STRATEGIES:
        answer = ask(recommender_of(state), VISITS, strategy, 15)
        positions = table.positions(np.array(rows_of(answer), dtype=np.int32))
        vectors = unit_rows(np.asarray(table.vectors)[positions[positions >= 0]])
        assert (vectors @ vectors.T - np.eye(len(vectors))).max() < 0.7


def test_under_load_sessions_are_answered_from_lists(tiny_state):
    recommender = recommender_of(tiny_state, lists={"strategy": 1, "session_knn": 1})
    batch = SessionBatch([SessionQuery(VISITS)])
    begun = recommender.begin_session(batch, Effort.LISTS)
    assert not begun.pending
    answer = begun.answer()
    assert answer.degraded
    interleaved = ask(recommender_of(tiny_state), VISITS, "interleave")
    assert rows_of(answer.outcomes[0]) == rows_of(interleaved)
    assert not recommender.for_session(batch).degraded


def test_deadline_ends_a_call_unless_a_part_is_welcome(tiny_state):
    recommender = recommender_of(tiny_state)
    late = Deadline(0.0, clock=lambda: 1.0)
    batch = SessionBatch([SessionQuery(VISITS)])
    with pytest.raises(DeadlineError):
        recommender.for_session(batch, late)
    for strategy in STRATEGIES:
        begun = recommender.begin_session(
            SessionBatch(
                [SessionQuery(VISITS[:1])],
                CallOptions(allow_partial=True),
                AnswerOptions(k=60),  # more than was precomputed
                strategy,
            )
        )
        begun.finish(late)
        answer: Any = begun.answer()
        assert answer.partial
        (found,) = answer.outcomes
        assert found.shortfall.reason is ShortfallReason.DEADLINE
        assert len(found.candidates) == (0 if strategy is SessionStrategy.AGGREGATE else TABLE_K)


def test_lists_that_the_snapshot_lacks_are_refused_at_load(tiny_state):
    bare = replace(tiny_state, snapshot=replace(tiny_state.snapshot, recent_sessions=None))
    with pytest.raises(ConfigError, match=r"serving\.home\.session"):
        recommender_of(bare, lists={"session_knn": 1})
