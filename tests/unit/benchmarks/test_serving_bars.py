"""Parts of a run, and how they are judged; what they measure takes real servers and minutes."""

from pathlib import Path

import numpy as np
import pytest

from artifacts.errors import ConfigError, NotReadyError
from benchmarks.calls import CallLog, Calls, End, Window
from benchmarks.death_under_load import death_bars
from benchmarks.results import read_results
from benchmarks.search_record import Bar
from benchmarks.serving_bars import Part, ServingBars, chosen, run_parts
from benchmarks.serving_record import ServingRecord
from benchmarks.swap_under_load import swap_bars

UNAVAILABLE = 14
SWAPPED = [Window(5.0, 6.0)]


@pytest.fixture
def record(tmp_path) -> ServingRecord:
    return ServingRecord(tmp_path / "results.jsonl", "made", 10)


def load(*, slow_s: float = 0.001, late_s: float = 0.0, failed: int = 0) -> Calls:
    """A hundred calls a second for ten seconds; from 5 s to 6 s they take `slow_s`."""
    due_s = np.arange(1_000) / 100
    log = CallLog(due_s)
    for number, due in enumerate(due_s.tolist()):
        log.sent(number, due + late_s)
        code = UNAVAILABLE if number < failed else End.ANSWERED
        log.ended(number, code, due + (slow_s if 5 <= due < 6 else 0.001))
    return log.calls(0.0)


def parts() -> list[Part]:
    nowhere = Path("nowhere")
    return list(ServingBars(nowhere, None, 10, ServingRecord(nowhere, "", 30)).parts())


def test_parts_are_chosen_by_name_or_by_group():
    assert [part.name for part in chosen(parts(), ["swap"])] == ["swap"]
    assert len(chosen(parts(), ["memory"])) == 4
    assert [part.name for part in chosen(parts(), ["memory-ivf", "kill"])] == ["kill", "memory-ivf"]
    assert len(chosen(parts(), [])) == len(parts())


def test_unknown_part_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError, match=r"precomputed.*got 'swop'"):
        chosen(parts(), ["swop"])


def test_run_says_what_comes_and_how_long_it_takes(capsys):
    bar = Bar("made", 1, 0)
    ran = run_parts([Part("one", lambda: [bar], 60), Part("two", list, 120)], lambda: 0.0)
    assert ran == [bar]
    first, *_ = capsys.readouterr().out.splitlines()
    assert first == "one (1 of 2): about 60 s; all that is left about 3 min"


def test_interruption_keeps_the_parts_that_are_finished(record):
    def interrupted() -> list[Bar]:
        raise KeyboardInterrupt

    def measured() -> list[Bar]:
        return [record.keep_bar(Bar("made", 1, 0), "of nothing")]

    with pytest.raises(KeyboardInterrupt):
        run_parts([Part("one", measured, 1), Part("two", interrupted, 1)], lambda: 0.0)
    assert [result.name for result in read_results(record.path)] == ["bar: made"]


def test_part_that_cannot_be_measured_says_why_and_the_others_go_on(capsys):
    def failing() -> list[Bar]:
        raise NotReadyError("something else runs on this machine")

    bar = Bar("made", 1, 0)
    ran = run_parts([Part("one", failing, 1), Part("two", lambda: [bar], 1)], lambda: 0.0)
    assert ran == [bar]
    assert "one: NOT MEASURED: something else runs" in capsys.readouterr().out


def test_swap_that_nobody_notices_meets_its_bars(record):
    failed, slower = swap_bars(load(slow_s=0.0019), SWAPPED, record)
    assert (failed.value, failed.met) == (0, True)
    assert slower.value == pytest.approx(1.9)
    assert slower.met


def test_swap_that_is_noticed_does_not(record):
    failed, slower = swap_bars(load(slow_s=0.003, failed=2), SWAPPED, record)
    assert (failed.value, failed.met) == (2, False)
    assert not slower.met
    numbers = read_results(record.path)[0]
    assert numbers.config["counts"] == {"OK": 998, "UNAVAILABLE": 2}
    assert numbers.metrics["swap_s"] == 1.0


def test_late_generator_measures_no_latency(record):
    failed, slower = swap_bars(load(late_s=0.01), SWAPPED, record)
    assert failed.met
    assert np.isnan(slower.value)
    assert not slower.met
    kept = read_results(record.path)[-1]
    assert "value" not in kept.metrics
    assert "NOT MEASURED" in kept.config["note"]


def test_death_is_judged_by_failed_calls_alone(record):
    (bar,) = death_bars(load(slow_s=1.0), SWAPPED, record)
    assert bar.met
    (bar,) = death_bars(load(failed=1), SWAPPED, record)
    assert (bar.value, bar.met) == (1, False)
