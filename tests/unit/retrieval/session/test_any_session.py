"""Whatever is visited: no crash, nothing visited, nothing twice, nothing that the filter forbids."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.answer import Answer
from retrieval.candidates import Source
from retrieval.config import RetrievalConfig, ServingConfig
from retrieval.deadline import Deadline
from retrieval.effort import Effort
from retrieval.mixing import Mixing
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    EventKind,
    FilterSpec,
    NearDuplicateBand,
    SessionBatch,
    SessionQuery,
    SessionStrategy,
    Visit,
)
from retrieval.recommender import Recommender
from retrieval.session.config import SessionConfig
from retrieval.state import ServingState
from tests.shop import ITEMS, item_id

IDS = st.one_of(st.integers(0, ITEMS + 5).map(item_id), st.just("nowhere"))
WEIGHTS = st.one_of(
    st.just(1.0), st.floats(-3, 3), st.floats(width=32, allow_nan=False, allow_infinity=False)
)
TIMES = st.one_of(st.none(), st.floats(-1e12, 1e12))
VISITS = st.lists(
    st.builds(Visit, IDS, st.sampled_from(EventKind), WEIGHTS, TIMES), min_size=1, max_size=12
)
TIMED = st.lists(
    st.builds(Visit, IDS, st.sampled_from(EventKind), WEIGHTS, st.floats(0, 2e9)),
    min_size=1,
    max_size=6,
)
FILTERS = st.builds(
    FilterSpec,
    excluded_ids=st.lists(IDS, max_size=3),
    allowed_categories=st.sampled_from([(), ("Dairy",), ("Bakery", "Produce")]),
    min_similarity=st.sampled_from([None, None, 0.3]),
    near_duplicates=st.sampled_from([None, None, NearDuplicateBand(0.95, 0.8)]),
)
CONFIGS = st.builds(
    SessionConfig,
    mixing=st.sampled_from(Mixing),
    lists=st.sampled_from(
        [{"strategy": 1.0}, {"strategy": 1.0, "session_knn": 0.5, "co_occurrence": 2.0}]
    ),
    max_lists=st.integers(1, 4),
    max_interests=st.integers(1, 4),
    interest_distance=st.floats(0, 2),
    calibration=st.floats(0, 1),
)


@pytest.fixture(scope="module")
def state_of(tiny_state) -> Callable[[], ServingState]:
    """A state is too large to be printed with each example."""
    return lambda: tiny_state


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    sessions=st.lists(st.one_of(VISITS, TIMED), min_size=1, max_size=3),
    config=CONFIGS,
    strategy=st.sampled_from(SessionStrategy),
    filter=FILTERS,
    k=st.integers(1, 60),
    effort=st.sampled_from(Effort),
)
def test_any_session(state_of, sessions, config, strategy, filter, k, effort):
    sources = (Source.PRECOMPUTED, Source.LIVE, Source.HYBRID, Source.POPULAR)
    serving = RetrievalConfig(serving={"home": ServingConfig(sources=sources, session=config)})
    batch = SessionBatch(
        [SessionQuery(visits) for visits in sessions],
        CallOptions(debug=True),
        AnswerOptions(k=k, filter=filter),
        strategy,
    )
    begun = Recommender(state_of(), serving).begin_session(batch, effort)
    assert not (begun.pending and effort is Effort.LISTS)
    begun.finish(Deadline())
    for visits, answer in zip(sessions, begun.answer().outcomes, strict=True):
        assert isinstance(answer, Answer), answer
        rows = [candidate.row for candidate in answer.candidates]
        assert len(rows) == len(set(rows)) <= k
        assert (answer.shortfall is None) == (len(rows) == k)
        assert len(answer.similarities) == len(rows)
        assert np.isfinite([candidate.score for candidate in answer.candidates]).all()
        visited = [visit.item_id for visit in visits]
        check_rows(state_of(), rows, [*visited, *filter.excluded_ids], filter.allowed_categories)


def check_rows(
    state: ServingState, rows: list[int], barred: list[str], categories: Sequence[str]
) -> None:
    """Assert that no row is barred and all are of the categories, where any are named."""
    assert not set(rows) & set(state.snapshot.items.rows(barred).tolist())
    found = {state.snapshot.catalog.category(row) for row in rows}
    assert not categories or found <= set(categories)
