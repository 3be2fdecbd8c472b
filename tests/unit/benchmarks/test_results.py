from datetime import UTC, datetime

import pytest

from artifacts.errors import ArtifactError, ConfigError
from benchmarks.machine import Machine, describe_machine
from benchmarks.report import fastest_at, fill, pareto, search_table
from benchmarks.results import Result, append_result, read_results

MACHINE = Machine(
    cpu="c", cores=1, memory_gib=1, system="s", python="3", versions={}, threads={}, commit="x"
)


def result(kind: str, recall: float, speed: float) -> Result:
    metrics = dict.fromkeys(
        ("single_low_per_s", "single_high_per_s", "single_p99_us", "batched_per_s", "build_s"), 1.0
    )
    return Result(
        suite="search",
        name=f"{kind} {recall}",
        measured_at=datetime(2026, 1, 2, tzinfo=UTC),
        machine=MACHINE,
        data="d",
        config={"kind": kind},
        metrics=metrics | {"recall": recall, "single_per_s": speed, "size_bytes": 1.0},
    )


def test_results_come_back_as_they_were_appended(tmp_path):
    path = tmp_path / "deep" / "r.jsonl"
    kept = [result("a", 0.5, 10), result("b", 0.75, 20)]
    for each in kept:
        append_result(path, each)
    assert read_results(path) == kept


def test_a_result_of_another_format_is_refused_by_line_and_number(tmp_path):
    path = tmp_path / "r.jsonl"
    append_result(path, result("a", 0.5, 10))
    text = path.read_text("utf-8")
    path.write_text(text + text.replace('"format":1', '"format":2'), "utf-8")
    with pytest.raises(ArtifactError, match=r"r\.jsonl:2: result format 2"):
        read_results(path)


def test_a_line_that_is_no_result_is_refused(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text("{\n", "utf-8")
    with pytest.raises(ArtifactError, match=r"r\.jsonl:1"):
        read_results(path)


def test_an_unwritable_result_file_is_a_settings_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        append_result(tmp_path / "file" / "r.jsonl", result("a", 0.5, 10))


def test_the_front_holds_what_nothing_beats_in_both():
    slow, fast, beaten = result("a", 0.9, 10), result("a", 0.5, 50), result("a", 0.4, 40)
    assert pareto([beaten, slow, fast]) == [fast, slow]


def test_the_table_has_a_row_for_each_point_of_each_front():
    rows = search_table([result("a", 0.9, 10), result("b", 0.5, 50), result("a", 0.8, 9)])
    assert [line.split("|")[1].strip() for line in rows.splitlines()[2:]] == ["a 0.9", "b 0.5"]


def test_the_fastest_of_each_backend_must_reach_the_recall():
    results = [
        result("a", 0.9, 10),
        result("a", 0.95, 8),
        result("a", 0.5, 90),
        result("b", 0.8, 99),
    ]
    assert fastest_at(results, 0.9) == [results[0]]


def test_fill_replaces_only_what_stands_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nb\n", "utf-8")
    assert fill(page, "x", "new \\1")
    assert page.read_text("utf-8") == "a\n<!-- bench:x -->\nnew \\1\n<!-- /bench:x -->\nb\n"
    assert not fill(page, "x", "new \\1")
    with pytest.raises(ConfigError, match="bench:y"):
        fill(page, "y", "new")


def test_the_machine_names_processor_and_releases():
    machine = describe_machine()
    assert machine.cores >= 1
    assert machine.versions["numpy"]
    assert Machine.model_validate_json(machine.model_dump_json()) == machine
