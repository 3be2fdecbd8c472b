"""Sources that look up sessions, for one product and for several visits."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.errors import ConfigError, UnknownItemError, UnsupportedError
from artifacts.progress import SilentProgress
from artifacts.relation import ScoreKind
from retrieval.answer import Answer, Stage
from retrieval.candidates import Source
from retrieval.config import RetrievalConfig, ServingConfig
from retrieval.covisited import Covisited
from retrieval.neighbor_sessions import NeighborSessions
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    FilterSpec,
    SessionBatch,
    SessionQuery,
    SimilarBatch,
    SimilarQuery,
    Visit,
)
from retrieval.recommender import Recommender
from retrieval.session.config import SessionConfig, SessionList
from retrieval.session_knn_config import SessionKnnConfig
from retrieval.state import ServingState
from retrieval.visit_source import visit_source
from tests.made_lists import ragged, random_lists
from tests.reference_vmis import vmis_scores
from tests.shop import item_id
from tests.shop_shoppers import SESSION_ITEMS
from trainer.covisitation import count_covisitation
from trainer.recent_sessions import recent_sessions
from trainer.tables_config import CovisitationConfig, RecentSessionsConfig
from trainer.weighted_lists import WeightedLists

ROWS = 25
SESSIONS = ragged(random_lists(200, ROWS - 1, seed=4))
TABLE = count_covisitation(
    WeightedLists(SESSIONS, None),
    ROWS,
    CovisitationConfig(top_k=8, threads=1),
    progress=SilentProgress(),
)
RECENT = recent_sessions(SESSIONS, ROWS, RecentSessionsConfig())
BOTH = (Source.CO_OCCURRENCE, Source.SESSION_KNN)
KINDS = {
    Source.CO_OCCURRENCE: ScoreKind.CO_OCCURRENCE,
    Source.SESSION_KNN: ScoreKind.SESSION_WEIGHT,
}
LATE = item_id(SESSION_ITEMS + 10)
"""In the catalogue and with vectors, but in no session."""


def visits(rows: list[int]) -> Any:
    return np.array(rows, dtype=np.int32)


def ones(rows: list[int]) -> Any:
    return np.ones(len(rows), dtype=np.float32)


def ask(recommender: Recommender, query: SimilarQuery, *sources: Source, **fields: Any) -> Answer:
    batch = SimilarBatch([query], sources=sources)._replace(**fields)
    outcome = recommender.similar(batch).outcomes[0]
    assert isinstance(outcome, Answer), outcome
    return outcome


def expected_of(state: ServingState, source: Source, row: int) -> list[tuple[int, float]]:
    """Return what a source says of an item, best first, by the table or by the paper."""
    if source is Source.CO_OCCURRENCE:
        rows, scores, _ = state.require_covisitation().lookup(row)
        return list(zip(rows.tolist(), scores.tolist(), strict=True))
    votes = vmis_scores(state.require_recent_sessions(), [row], SessionKnnConfig())
    del votes[row]
    return sorted(votes.items(), key=lambda pair: (-np.float32(pair[1]), pair[0]))


def test_list_of_an_item_is_that_of_the_table():
    for row in range(ROWS):
        rows, scores, _ = TABLE.lookup(row)
        found = Covisited(TABLE).of(row)
        np.testing.assert_array_equal(found.rows, rows)
        np.testing.assert_array_equal(found.scores, scores)
        assert (found.source, found.kind) == (Source.CO_OCCURRENCE, ScoreKind.CO_OCCURRENCE)


@settings(max_examples=80, deadline=None)
@given(
    visited=st.lists(
        st.tuples(st.integers(-1, ROWS - 1), st.sampled_from([-1.0, 0.0, 0.5, 1.0, 3.0])),
        max_size=12,
    ),
    n=st.integers(1, 40),
)
def test_lists_of_several_visits_are_added_up_by_weight(visited, n):
    sums, sizes = np.zeros(ROWS), np.zeros(ROWS)
    for row, weight in visited:
        if row >= 0:
            rows, scores, _ = TABLE.lookup(row)
            sums[rows] += weight * scores.astype(np.float64)
            sizes[rows] += abs(weight) * scores
    weights = np.array([weight for _, weight in visited], dtype=np.float32)
    found = Covisited(TABLE).rank(visits([row for row, _ in visited]), weights, n)
    assert len(found.rows) == min(n, int((sums > 1e-6 * sizes).sum()))
    np.testing.assert_allclose(found.scores, sums[found.rows], rtol=1e-5)
    np.testing.assert_allclose(found.scores, np.sort(sums)[::-1][: len(found.rows)], rtol=1e-5)
    assert len(set(found.rows.tolist())) == len(found.rows)


@settings(max_examples=40, deadline=None)
@given(visited=st.lists(st.integers(-1, ROWS - 1), max_size=12))
def test_similar_sessions_vote_as_the_paper_says(visited):
    source = NeighborSessions(RECENT, SessionKnnConfig())
    found = source.rank(visits(visited), ones(visited), 1_000)
    expected = vmis_scores(RECENT, visited, SessionKnnConfig())
    assert set(found.rows.tolist()) == set(expected)
    np.testing.assert_allclose(
        found.scores, [expected[row] for row in found.rows.tolist()], rtol=1e-5
    )
    assert (found.source, found.kind) == (Source.SESSION_KNN, ScoreKind.SESSION_WEIGHT)


def test_visits_that_speak_against_an_item_find_no_sessions_like_it():
    source = NeighborSessions(RECENT, SessionKnnConfig())
    weights = np.array([1, -1, 2, 0], dtype=np.float32)
    found = source.rank(visits([3, 5, 7, 9]), weights, 1_000)
    without = source.rank(visits([3, 7]), ones([3, 7]), 1_000)
    np.testing.assert_array_equal(found.rows, without.rows)
    np.testing.assert_array_equal(found.scores, without.scores)


def test_nothing_is_known_of_items_without_sessions():
    for source in (Covisited(TABLE), NeighborSessions(RECENT, SessionKnnConfig())):
        assert len(source.of(ROWS - 1).rows) == 0
        for rows in ([], [-1], [ROWS - 1]):
            assert len(source.rank(visits(rows), ones(rows), 5).rows) == 0


def test_sources_are_those_of_the_snapshot(tiny_state: ServingState):
    config = SessionKnnConfig(neighbors=3)
    covisited = visit_source(tiny_state, Source.CO_OCCURRENCE, config)
    assert covisited == Covisited(tiny_state.require_covisitation())
    sessions = visit_source(tiny_state, Source.SESSION_KNN, config)
    assert sessions == NeighborSessions(tiny_state.require_recent_sessions(), config)


@pytest.mark.parametrize("source", BOTH)
@pytest.mark.parametrize("row", [0, 3, 41, SESSION_ITEMS - 1])
def test_product_gets_what_its_sessions_hold(tiny_recommender: Recommender, source: Source, row):
    answer = ask(tiny_recommender, SimilarQuery(item_id(row)), source)
    expected = expected_of(tiny_recommender.state, source, row)[:10]
    assert [candidate.row for candidate in answer.candidates] == [row for row, _ in expected]
    np.testing.assert_allclose(
        [candidate.score for candidate in answer.candidates],
        [score for _, score in expected],
        rtol=1e-5,
    )
    origins = {(candidate.source, candidate.kind) for candidate in answer.candidates}
    assert origins == {(source, KINDS[source])}


def test_look_ups_are_done_at_once_and_sessions_are_compared_off_the_loop(tiny_recommender):
    queries = [SimilarQuery(item_id(3))]
    begun = tiny_recommender.begin_similar(SimilarBatch(queries, sources=[Source.CO_OCCURRENCE]))
    assert not begun.pending
    begun = tiny_recommender.begin_similar(SimilarBatch(queries, sources=[Source.SESSION_KNN]))
    assert begun.pending


@pytest.mark.parametrize("source", BOTH)
def test_filters_hold_for_lists_of_sessions(tiny_recommender: Recommender, source: Source):
    whole = expected_of(tiny_recommender.state, source, 0)
    excluded = [item_id(row) for row, _ in whole[:4]]
    options = AnswerOptions(k=3, filter=FilterSpec(excluded_ids=excluded))
    answer = ask(tiny_recommender, SimilarQuery(item_id(0), options=options), source)
    assert [candidate.row for candidate in answer.candidates] == [row for row, _ in whole[4:7]]
    assert answer.removed[Stage.EXCLUDED] == 4


def test_session_mixed_from_similar_sessions_alone_is_what_they_vote_for(tiny_state: ServingState):
    session = SessionConfig(lists={SessionList.SESSION_KNN: 1.0})
    configs = RetrievalConfig(serving={"home_page": ServingConfig(session=session)})
    recommender = Recommender(tiny_state, configs)
    for visited in ([3], [0, 7, 41], [5, 6, 5, 90, 2, 11]):
        batch = SessionBatch([SessionQuery([Visit(item_id(row)) for row in visited])])
        (answer,) = recommender.for_session(batch).outcomes
        assert isinstance(answer, Answer)
        votes = vmis_scores(tiny_state.require_recent_sessions(), visited, SessionKnnConfig())
        ranked = sorted(votes.items(), key=lambda pair: (-np.float32(pair[1]), pair[0]))
        expected = [row for row, _ in ranked if row not in visited][:10]
        found = [c.row for c in answer.candidates if c.source is Source.SESSION_KNN]
        assert found == expected


@pytest.mark.parametrize("source", BOTH)
def test_next_source_answers_for_items_without_sessions(tiny_recommender, source):
    answer = ask(tiny_recommender, SimilarQuery(LATE), source, Source.PRECOMPUTED)
    assert {candidate.source for candidate in answer.candidates} == {Source.PRECOMPUTED}
    batch = SimilarBatch([SimilarQuery(LATE), SimilarQuery("nobody")], sources=[source])
    for outcome in tiny_recommender.similar(batch).outcomes:
        assert isinstance(outcome, UnknownItemError)


@pytest.mark.parametrize("source", BOTH)
def test_snapshot_without_the_table_says_so(tiny_state: ServingState, tiny_configs, source: Source):
    bare = replace(tiny_state.snapshot, covisitation=None, recent_sessions=None)
    state = replace(tiny_state, snapshot=bare)
    recommender = Recommender(state, tiny_configs)
    batch = SimilarBatch([SimilarQuery(item_id(3))], sources=[Source.POPULAR, source])
    (outcome,) = recommender.similar(batch).outcomes
    assert isinstance(outcome, UnsupportedError)
    assert "[train.tables." in str(outcome)
    asking = RetrievalConfig(serving={"offer_page": ServingConfig(sources=(source,))})
    with pytest.raises(ConfigError, match=r"\[serving.offer_page\]: .* has no table"):
        Recommender(state, asking)


def test_serving_config_says_how_many_sessions_vote(tiny_state: ServingState):
    few = SessionKnnConfig(sample=5, neighbors=2)
    serving = {
        "usual": ServingConfig(sources=(Source.SESSION_KNN,)),
        "few": ServingConfig(sources=(Source.SESSION_KNN,), session_knn=few),
    }
    recommender = Recommender(tiny_state, RetrievalConfig(serving=serving))
    call = CallOptions(serving_config="few")
    answer = ask(recommender, SimilarQuery(item_id(3)), call=call)
    expected = vmis_scores(tiny_state.require_recent_sessions(), [3], few)
    del expected[3]
    assert {candidate.row for candidate in answer.candidates} <= set(expected)
    assert len(answer.candidates) == min(10, len(expected))
