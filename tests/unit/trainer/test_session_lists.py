from datetime import datetime

from tests.made_users import write_sessions
from trainer.session_lists import read_session_lists


def test_sessions_come_oldest_first_and_those_without_a_time_before_all(tmp_path):
    times = [datetime(2026, 3, 1), None, datetime(2026, 1, 1), datetime(2026, 3, 1), None]
    names = ["b", "z", "c", "a", "y"]
    sessions = [
        {"session_id": name, "started_at": time, "items": [place, place + 10][: 1 + place % 2]}
        for place, (name, time) in enumerate(zip(names, times, strict=True))
    ]
    lists = read_session_lists(write_sessions(tmp_path / "s.parquet", sessions))
    assert [lists.row(i).tolist() for i in range(5)] == [[4], [1, 11], [2], [3, 13], [0]]


def test_sessions_before_1970_are_older_than_later_ones_and_younger_than_those_without_time(
    tmp_path,
):
    times = [datetime(1970, 1, 2), datetime(1969, 1, 1), None]
    sessions = [
        {"session_id": str(place), "started_at": time, "items": [place]}
        for place, time in enumerate(times)
    ]
    lists = read_session_lists(write_sessions(tmp_path / "s.parquet", sessions))
    assert lists.values.tolist() == [2, 1, 0]


def test_no_sessions_are_no_lists(tmp_path):
    assert len(read_session_lists(write_sessions(tmp_path / "s.parquet", []))) == 0


def test_numbered_sessions_without_a_time_keep_the_order_of_their_numbers(tmp_path):
    sessions = [
        {"session_id": name, "started_at": None, "items": [place]}
        for place, name in enumerate(["10", "2", "9", "100"])
    ]
    lists = read_session_lists(write_sessions(tmp_path / "s.parquet", sessions))
    assert lists.values.tolist() == [1, 2, 0, 3]
