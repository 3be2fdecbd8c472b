from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.results import Result
from benchmarks.serving_report import (
    TABLES,
    bars_table,
    circumstances,
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
    load = result("a: at saturation", rate_per_s=10.0, good_per_s=8.0, p50_s=0.001)
    load.config["counts"] = {"OK": 8, "CANCELLED": 2}
    line = loads_table([load]).splitlines()[2]
    assert line == "| a: at saturation | 10/s | 8/s | 1.00 ms | - | 8 OK, 2 CANCELLED |"


def test_circumstances_name_all_commits_and_the_span_of_loads():
    text = circumstances([result("a", 3), result("b", 1, "def")])
    assert "commit abc, def" in text
    assert "load average 0.1 to 0.3" in text
    assert "loads of 30 s" in text


def test_table_without_measurements_says_so():
    assert {make([]) for _, make in TABLES.values()} == {"Not measured yet."}


def test_document_of_serving_has_marks_for_every_table():
    text = (Path(__file__).parents[3] / "docs" / "serving.md").read_text("utf-8")
    assert [mark for mark in TABLES if f"<!-- bench:{mark} -->" not in text] == []
