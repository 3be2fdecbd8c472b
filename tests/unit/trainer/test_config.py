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
