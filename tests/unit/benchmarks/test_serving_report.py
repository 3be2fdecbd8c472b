from datetime import UTC, datetime

import pytest

from artifacts.errors import ConfigError
from benchmarks.machine import Machine
from benchmarks.results import Result
from benchmarks.serving_report import (
    TABLES,
    bars_table,
    circumstances,
    fill_tables,
    loads_table,
    rates_table,
)

MACHINE = Machine(
    cpu="made",
    cores=2,
    memory_gib=4,
    system="Linux",
    python="3.11",
    versions={},
    threads={},
    commit="abc",
)


def result(name: str, hour: int = 0, commit: str = "abc", **numbers: float) -> Result:
    config = {"seconds": 30.0, "load_average": 0.1 * hour, "most": False, "note": f"hour {hour}"}
    return Result(
        suite="serving_bars",
        name=name,
        measured_at=datetime(2026, 11, 24, hour, tzinfo=UTC),
        machine=MACHINE.model_copy(update={"commit": commit}),
        data="made",
        config=config,
        metrics=numbers,
    )


def bar(name: str, hour: int, **numbers: float) -> Result:
    return result(f"bar: {name}", hour, "abc", needed=2, **numbers)


def test_newest_measurement_of_each_bar_is_shown():
    kept = [bar("a", 1, value=1, met=0), bar("b", 1, met=0), bar("a", 2, value=3, met=1)]
    lines = bars_table(kept).splitlines()[2:4]
    assert lines == [
        "| a | >= 2 | 3.00 | met | hour 2 |",
        "| b | >= 2 | - | not measured | hour 1 |",
    ]


def test_rates_stand_beside_the_ceiling_that_they_are_held_against():
    kept = [
        result(
            "SearchNeighbors: beside its ceiling", echo_per_s=2_000, search_s=0.0005, peak_per_s=900
        )
    ]
    line = rates_table(kept).splitlines()[2]
    assert line == "| SearchNeighbors | 2,000/s | 500 us | 1,000/s | 900/s | 0.90 |"


def test_loads_are_shown_with_how_their_calls_ended():
    numbers = {"rate_per_s": 10.0, "good_per_s": 8.0, "p50_s": 0.001}
    load = result("a: at saturation", **numbers)
    load.config["counts"] = {"OK": 8, "CANCELLED": 2}
    line = loads_table([load]).splitlines()[2]
    assert line == "| a: at saturation | 10/s | 8/s | 1.00 ms | - | 8 OK, 2 CANCELLED |"


def test_circumstances_name_all_commits_and_the_span_of_loads():
    text = circumstances([result("a", 3), result("b", 1, "def")])
    assert "commit abc, def" in text
    assert "load average 0.1 to 0.3" in text
    assert "loads of 30 s" in text


def test_document_gets_all_tables_and_says_what_was_not_measured(tmp_path):
    page = tmp_path / "page.md"
    marks = [f"<!-- bench:{mark} -->\n<!-- /bench:{mark} -->" for mark in TABLES]
    page.write_text("\n".join(marks))
    fill_tables([bar("a", 1, value=3, met=1)], page)
    text = page.read_text()
    assert "| a | >= 2 | 3.00 | met | hour 1 |" in text
    assert text.count("Not measured yet.") == len(TABLES) - 1


def test_document_without_marks_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(ConfigError, match="serving-bars"):
        fill_tables([], page)
