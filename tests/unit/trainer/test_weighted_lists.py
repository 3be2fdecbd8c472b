import re
from datetime import datetime

import numpy as np
import pytest

from artifacts.errors import DataError
from tests.made_users import write_sessions
from trainer.weighted_lists import read_weighted_lists, smallest_weight

TIMES = [datetime(2026, 3, 1), None, datetime(2026, 1, 1)]


def session(number: int, weights: list[float] | None) -> dict[str, object]:
    made: dict[str, object] = {
        "session_id": f"s{number}",
        "started_at": TIMES[number],
        "items": [number, number + 10],
    }
    return made if weights is None else {**made, "weights": weights}


def test_weights_follow_their_events_in_units_of_the_smallest(tmp_path):
    weights = [[0.5, 1.0], [0.25, 2.0], [0.25, 0.25]]
    path = write_sessions(tmp_path / "s.parquet", [session(n, weights[n]) for n in range(3)])
    read = read_weighted_lists(path)
    assert read.lists.values.tolist() == [1, 11, 2, 12, 0, 10]  # without a time, January, March
    assert read.weights is not None
    assert read.weights.tolist() == [1, 8, 1, 1, 2, 4]
    assert read.weights.dtype == np.float32
    assert smallest_weight(path) == 0.25


def test_sessions_without_weights_have_none(tmp_path):
    path = write_sessions(tmp_path / "s.parquet", [session(0, None)])
    assert read_weighted_lists(path).weights is None


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_weights_that_weigh_nothing_are_refused(tmp_path, wrong):
    path = write_sessions(tmp_path / "s.parquet", [session(0, [1.0, wrong])])
    message = re.escape(f"expected weights above 0 and finite, got 1 others, the first is {wrong}")
    with pytest.raises(DataError, match=message):
        read_weighted_lists(path)
    with pytest.raises(DataError, match=message):
        smallest_weight(path)


def test_lists_of_another_length_are_refused(tmp_path):
    path = write_sessions(tmp_path / "s.parquet", [session(0, [1.0])])
    with pytest.raises(DataError, match="expected as many weights as items"):
        read_weighted_lists(path)
