from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cli.rank_config import RankConfig
from cli.rank_contexts import draw_places, places, read_later_sessions

START = datetime(2026, 1, 1)
SESSIONS = [[1, 2, 3, 4], [5, 6], [7, 8, 9], [1, 2, 1, 3]]


def _write(folder: Path, **columns: object) -> Path:
    table = {
        "session_id": [f"s{at}" for at in range(len(SESSIONS))],
        "user_id": ["u1", None, "u2", "u1"],
        "started_at": [START + timedelta(minutes=m) for m in (30, 10, 20, 0)],
        "items": pa.array(SESSIONS, pa.list_(pa.int32())),
    }
    pq.write_table(pa.table(table | columns), folder / "sessions.parquet")
    return folder / "sessions.parquet"


def test_sessions_come_in_the_order_of_time(tmp_path):
    found = read_later_sessions(_write(tmp_path), clock=True, seed=0)
    assert [found.items.row(at).tolist() for at in range(4)] == [
        SESSIONS[at] for at in (3, 1, 2, 0)
    ]
    assert found.users == ("u1", None, "u2", "u1")
    assert np.diff(found.when).tolist() == [600, 600, 600]
    assert found.levels == 1


def test_without_a_clock_a_seeded_hash_orders_them(tmp_path):
    path = _write(tmp_path, started_at=pa.nulls(4, pa.timestamp("us")))
    found = read_later_sessions(path, clock=False, seed=0)
    assert found.when.tolist() == [0, 1, 2, 3]
    again = read_later_sessions(path, clock=False, seed=0)
    assert found.items.values.tolist() == again.items.values.tolist()
    orders = {
        tuple(read_later_sessions(path, clock=False, seed=seed).items.values.tolist())
        for seed in range(8)
    }
    assert len(orders) > 1


def test_grades_follow_the_weights_of_events(tmp_path):
    weights = [[1.0, 3.0, 1.0, 2.0], [1.0, 1.0], [2.0, 2.0, 3.0], [1.0, 1.0, 1.0, 1.0]]
    path = _write(tmp_path, weights=pa.array(weights, pa.list_(pa.float32())))
    found = read_later_sessions(path, clock=True, seed=0)
    assert found.levels == 3
    assert found.grades.tolist() == [1, 1, 1, 1, 1, 1, 2, 2, 3, 1, 3, 1, 2]
    drawn = [(3, 1)]  # the session of 1, 2, 3, 4
    (place,) = places(found, drawn, ahead=2)
    assert place.graded() == {2: 3, 3: 1}


def test_an_item_that_comes_twice_counts_once_with_its_highest_grade(tmp_path):
    weights = [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 2.0, 1.0]]
    path = _write(tmp_path, weights=pa.array(weights, pa.list_(pa.float32())))
    found = read_later_sessions(path, clock=True, seed=0)
    (place,) = places(found, [(0, 1)], ahead=10)
    assert place.visited.tolist() == [1]
    assert place.graded() == {2: 1, 1: 2, 3: 1}


def test_places_are_drawn_within_sessions_and_no_more_than_wanted(tmp_path):
    found = read_later_sessions(_write(tmp_path), clock=True, seed=0)
    every = draw_places(found, RankConfig(positions=10))
    lengths = found.items.lengths.tolist()
    assert every == [(at, n) for at, length in enumerate(lengths) for n in range(1, length)]
    few = draw_places(found, RankConfig(positions=1, contexts=3))
    assert len(few) == 3
    assert set(few) <= set(every)
    assert len({session for session, _ in few}) == 3
    assert few == draw_places(found, RankConfig(positions=1, contexts=3))


def test_a_place_sees_nothing_but_what_was_before_it(tmp_path):
    found = read_later_sessions(_write(tmp_path), clock=True, seed=0)
    for place in places(found, draw_places(found, RankConfig(positions=10)), ahead=1):
        session = next(
            found.items.row(at).tolist() for at in range(4) if found.when[at] == place.when
        )
        seen = len(place.visited)
        assert place.visited.tolist() == session[:seen]
        assert place.ahead.tolist() == session[seen : seen + 1]
