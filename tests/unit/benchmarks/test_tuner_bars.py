from pathlib import Path

import pytest

from benchmarks import protocol_bars, tuner_bars
from benchmarks.data import SearchData
from benchmarks.equal_recall import Contender, Point
from benchmarks.results import read_results
from benchmarks.search_record import Record
from indexer.index import Metric
from tests.clusters import clustered


@pytest.fixture(scope="module")
def data() -> SearchData:
    return SearchData.of("made", clustered(3000), clustered(20, seed=1), Metric.COSINE)


def point(recall: float, rate: float, asked: float = 0.0) -> Point:
    return Point(Contender("one", {"recall": asked}, lambda q: q, lambda a: a), recall, (rate,))


def test_choice_is_held_against_the_grid_at_the_recall_that_was_asked_for():
    grid = [point(0.9, 100), point(0.96, 50)]
    (bar,) = tuner_bars.bars_of(grid, [point(0.92, 98, asked=0.9)])
    assert bar.value == pytest.approx(0.98)
    assert bar.met


def test_choice_that_falls_short_is_held_against_the_grid_at_its_own_recall():
    grid = [point(0.9, 100), point(0.96, 50)]
    (bar,) = tuner_bars.bars_of(grid, [point(0.9, 60, asked=0.96)])
    assert bar.value == pytest.approx(0.6)
    assert not bar.met


def test_grid_that_does_not_reach_the_recall_meets_nothing():
    (bar,) = tuner_bars.bars_of([point(0.9, 100)], [point(0.99, 100, asked=0.99)])
    assert not bar.met


def test_choices_and_grid_are_measured_and_kept(
    data: SearchData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tuner_bars, "RECALLS", (0.9,))
    monkeypatch.setattr(tuner_bars, "grid", lambda base, batch, threads: [])
    record = Record(tmp_path / "tuner.jsonl", data, passes=1, run="first", suite="tuner_bars")
    (bar,) = tuner_bars.run_tuner_bars(data, record, batch=1, threads=1)
    assert not bar.met  # nothing to compare with
    names = [result.name for result in read_results(record.path)]
    assert names[0] == "tuning for 0.9"
    assert names[-1].startswith("bar: tuned")


def test_library_and_protocol_find_the_same(data: SearchData):
    for name, raw, ours in protocol_bars.pairs(data, 1):
        found, answer = (one.rows(one.search(data.queries[:5])) for one in (raw, ours))
        assert (found == answer).mean() > 0.95, name
