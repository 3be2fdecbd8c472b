import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.session_knn import session_knn
from retrieval.session_knn_config import SessionKnnConfig
from tests.made_lists import ragged, random_lists
from tests.reference_vmis import vmis_scores
from trainer.recent_sessions import recent_sessions
from trainer.tables_config import RecentSessionsConfig

ITEMS = 25
TABLE = recent_sessions(
    ragged(random_lists(300, ITEMS - 1, seed=2)), ITEMS, RecentSessionsConfig(sessions_per_item=40)
)


CONFIGS = [
    SessionKnnConfig(),
    SessionKnnConfig(sample=10, neighbors=4),
    SessionKnnConfig(sample=25, neighbors=1_000, last_items=3),
    SessionKnnConfig(sample=1, neighbors=1),
]


@pytest.mark.parametrize("config", CONFIGS, ids=["default", "small", "short", "one"])
@settings(max_examples=60, deadline=None)
@given(visited=st.lists(st.integers(-1, ITEMS - 1), max_size=14))
def test_scores_are_those_of_the_paper(config, visited):
    rows, scores = session_knn(TABLE, np.array(visited, dtype=np.int32), 1_000, config)
    expected = vmis_scores(TABLE, visited, config)
    assert set(rows.tolist()) == set(expected)
    np.testing.assert_allclose(scores, [expected[row] for row in rows.tolist()], rtol=1e-5)
    assert np.all(np.diff(scores) <= 0)


def test_the_best_are_kept_and_equal_scores_are_in_row_order():
    sessions = [[0, 3, 2, 1], [0, 3, 2, 1], [4, 5]]
    table = recent_sessions(ragged(sessions), 6, RecentSessionsConfig())
    visited = np.array([2], dtype=np.int32)
    rows, scores = session_knn(table, visited, 3, SessionKnnConfig())
    assert rows.tolist() == [0, 1, 2]
    assert len(set(scores.tolist())) == 1


def test_a_session_of_unknown_items_gets_nothing():
    for visited in ([], [-1, -1], [ITEMS - 1]):  # the last item is in no session
        rows, scores = session_knn(TABLE, np.array(visited, dtype=np.int32), 5, SessionKnnConfig())
        assert (len(rows), len(scores)) == (0, 0)
