from typing import Any

import numpy as np
import pytest

from artifacts.errors import DataError
from tests.made_users import write_sessions
from trainer.interactions import read_interactions

SESSIONS: list[dict[str, Any]] = [
    {"session_id": "a", "user_id": "zoe", "items": [5, 2, 5]},
    {"session_id": "b", "user_id": None, "items": [7, 8]},
    {"session_id": "c", "user_id": "007", "items": [9]},
    {"session_id": "d", "user_id": "zoe", "items": [2, 9]},
]


def test_events_are_counted_by_user_and_item(tmp_path):
    found = read_interactions(write_sessions(tmp_path / "s.parquet", SESSIONS))
    assert found.users == ("007", "zoe")
    assert found.items.tolist() == [2, 5, 9]
    np.testing.assert_array_equal(found.matrix.toarray(), [[0, 0, 1], [2, 2, 1]])


def test_weights_of_event_kinds_are_summed_and_zero_is_nothing(tmp_path):
    weights = [[5, 0.5, 1], [1, 1], [2], [0.25, 0]]
    weighted = [{**one, "weights": w} for one, w in zip(SESSIONS, weights, strict=True)]
    found = read_interactions(write_sessions(tmp_path / "s.parquet", weighted))
    np.testing.assert_array_equal(found.matrix.toarray(), [[0, 0, 2], [0.75, 6, 0]])
    assert found.matrix.nnz == 3


def test_sessions_without_users_are_refused(tmp_path):
    path = write_sessions(tmp_path / "s.parquet", [{**one, "user_id": None} for one in SESSIONS])
    with pytest.raises(DataError, match="got none in 4 sessions; map `user_id`"):
        read_interactions(path)


def test_no_sessions_are_refused(tmp_path):
    with pytest.raises(DataError, match="got none in 0 sessions"):
        read_interactions(write_sessions(tmp_path / "s.parquet", []))


def test_one_item_only_is_refused(tmp_path):
    path = write_sessions(
        tmp_path / "s.parquet", [{"session_id": "a", "user_id": "u", "items": [3, 3]}]
    )
    with pytest.raises(DataError, match="at least two items, got 1"):
        read_interactions(path)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_wrong_weights_are_refused(tmp_path, weight):
    sessions = [{"session_id": "a", "user_id": "u", "items": [1, 2], "weights": [1, weight]}]
    with pytest.raises(DataError, match="expected weights >= 0 and finite, got 1 others"):
        read_interactions(write_sessions(tmp_path / "s.parquet", sessions))


def test_weights_that_are_fewer_than_items_are_refused(tmp_path):
    sessions = [{"session_id": "a", "user_id": "u", "items": [1, 2], "weights": [1]}]
    with pytest.raises(DataError, match="as many weights as items"):
        read_interactions(write_sessions(tmp_path / "s.parquet", sessions))
