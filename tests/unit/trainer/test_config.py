from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from trainer.config import PrepareConfig, Prod2VecConfig, TimeSplit, TrainConfig


def prepare_config(**tables: Any) -> PrepareConfig:
    return PrepareConfig.model_validate({"events": {"path": "e.csv"}, **tables})


def events(**columns: str) -> dict[str, Any]:
    return {"path": "e.csv", "columns": columns}


@pytest.mark.parametrize(
    "tables",
    [
        {"enigne": "duckdb", "sessions": {"order": "none"}},
        {"sessions": {"order": "none", "maxlength": 3}},
        {"events": events(itemid="x"), "sessions": {"order": "none"}},
        {"split": {"kind": "random", "share": 0.1}, "sessions": {"order": "none"}},
        {"split": {"kind": "sometimes"}, "sessions": {"order": "none"}},
    ],
    ids=["table", "sessions", "columns", "split", "kind of split"],
)
def test_unknown_keys_are_refused(tables):
    with pytest.raises(ValidationError):
        prepare_config(**tables)


def test_sessions_without_an_order_are_refused_unless_none_is_claimed():
    with pytest.raises(ValidationError, match="nothing orders the items of a session"):
        prepare_config()
    assert prepare_config(sessions={"order": "none"}).order == "none"


def test_position_goes_before_timestamp_where_both_are_mapped():
    assert prepare_config(events=events(position="p", timestamp="t")).order == "position"
    assert prepare_config(events=events(timestamp="t")).order == "timestamp"


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"sessions": {"order": "position"}}, "needs `position`"),
        ({"sessions": {"order": "timestamp"}}, "needs `timestamp`"),
        (
            {"events": events(position="p"), "split": {"kind": "time", "fraction": 0.1}},
            "needs `timestamp`",
        ),
    ],
    ids=["position", "timestamp", "time split"],
)
def test_orders_and_splits_need_their_columns(tables, words):
    with pytest.raises(ValidationError, match=words):
        prepare_config(**tables)


@pytest.mark.parametrize("given", [{}, {"fraction": 0.1, "cut": "2026-01-01"}], ids=["none", "two"])
def test_time_split_needs_exactly_one_of_fraction_and_cut(given):
    with pytest.raises(ValidationError, match="either `fraction` or `cut`"):
        TimeSplit(kind="time", **given)


def test_cut_may_be_text_or_a_toml_time():
    moment = datetime(2026, 1, 1)
    assert TimeSplit.model_validate({"kind": "time", "cut": "2026-01-01"}).cut == moment
    assert TimeSplit.model_validate({"kind": "time", "cut": moment}).cut == moment


def test_one_path_or_several():
    assert prepare_config(sessions={"order": "none"}).events.path == ("e.csv",)
    with pytest.raises(ValidationError, match="path"):
        prepare_config(events={"path": []}, sessions={"order": "none"})


def test_learning_rate_may_not_rise():
    with pytest.raises(ValidationError, match="must not exceed"):
        Prod2VecConfig(learning_rate=0.01, min_learning_rate=0.02)


def test_settings_of_unknown_spaces_are_refused():
    with pytest.raises(ValidationError):
        TrainConfig.model_validate({"dreams": {}})


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"events": events(timestamp="t"), "sessions": {"gap_minutes": 30}}, "needs `user_id`"),
        (
            {
                "events": events(user_id="u", position="p"),
                "sessions": {"gap_minutes": 30, "order": "none"},
            },
            "needs `timestamp`",
        ),
        (
            {
                "events": events(user_id="u", timestamp="t", session_id="visit"),
                "sessions": {"gap_minutes": 30},
            },
            "take out `session_id`",
        ),
        (
            {"events": events(position="p"), "outliers": {"max_user_day_events": 9}},
            "needs `user_id` and `timestamp`",
        ),
        (
            {"events": events(position="p"), "outliers": {"max_items_per_minute": 9}},
            "needs `timestamp`",
        ),
        ({"events": events(position="p"), "kinds": {"view": 2}}, "needs `event`"),
        (
            {"events": events(position="p", event="e"), "kinds": {"glance": 2}},
            "does not take",
        ),
        (
            {"events": events(position="p", event="e"), "kinds": {"view": 2, "View": 3}},
            "names a kind twice",
        ),
        ({"events": events(position="p", event="e"), "kinds": {"view": 0}}, "greater than 0"),
    ],
)
def test_gaps_rules_and_weights_need_their_columns(tables, words):
    with pytest.raises(ValidationError, match=words):
        prepare_config(**tables)


def test_more_weights_than_one_number_can_hold_are_refused():
    kinds = [f"kind {n}" for n in range(20)]
    taken = {**events(position="p", event="e"), "kinds": kinds}
    with pytest.raises(ValidationError, match="at most 16 different weights, got 20"):
        prepare_config(events=taken, kinds={kind: n + 1.0 for n, kind in enumerate(kinds)})


def test_visits_that_a_gap_cuts_are_ordered_by_time():
    mapped = events(user_id="u", position="p", timestamp="t")
    assert prepare_config(events=mapped, sessions={"gap_minutes": 30}).order == "timestamp"
