from pathlib import Path

import pytest

from benchmarks.data import SearchData
from benchmarks.equal_recall import Contender, Point, measure
from benchmarks.results import read_results
from benchmarks.rival_engines import annoy_contenders, flat_contenders
from benchmarks.search_bars import BATCH, bars_of, true_rows
from benchmarks.search_record import Bar, K, Record
from benchmarks.search_report import bars_table, latest_run, rates_table
from benchmarks.simhash_growth import growth_bar
from benchmarks.simhash_steps import hamming_contenders, look_up_contenders, simhash_contenders
from indexer.index import Metric
from tests.clusters import clustered


@pytest.fixture(scope="module")
def data() -> SearchData:
    return SearchData.of("made", clustered(3000), clustered(20, seed=1), Metric.COSINE)


def points(family: str, rate: float, batch: int = 1) -> list[Point]:
    suffix = "" if batch == 1 else ", batched"
    contender = Contender(family + suffix, {}, lambda q: q, lambda a: a, batch)
    return [Point(contender, recall, (rate,)) for recall in (0.9, 0.95)]


def test_bars_compare_the_best_of_each_family_at_equal_recall():
    measured = [
        *points("annoy", 10),
        *points("faiss IVF-Flat", 50),
        *points("faiss HNSW32", 80),
        *points("simhash bits=128 tables=1", 90),
        *points("simhash bits=128 tables=2", 120),
        *points("simhash bits=128 tables=1", 240, BATCH),
        *points("faiss IVF-Flat", 60, BATCH),
    ]
    bars = {bar.name: bar for bar in bars_of(measured)}
    assert bars["simhash / Annoy at recall 0.90"].value == pytest.approx(12)
    assert bars["simhash / FAISS IVF-Flat at recall 0.95"].value == pytest.approx(2.4)
    assert bars["simhash / best FAISS at recall 0.90 (aim)"].value == pytest.approx(1.5)
    assert bars["batches of 100 / single at recall 0.90"].value == pytest.approx(2)
    assert not bars["batches of 100 / single at recall 0.90"].met


def test_bar_that_could_not_be_measured_is_not_met():
    assert not any(bar.met for bar in bars_of(points("annoy", 10)))
    assert not Bar("growth", float("nan"), 0.6, most=True).met


def test_bar_on_growth_is_met_from_below():
    assert Bar("growth", 0.5, 0.6, most=True).met
    assert "NOT MET" in Bar("growth", 0.7, 0.6, most=True).line()


@pytest.mark.parametrize("batch", [1, 7])
def test_simhash_at_full_effort_finds_everything(data: SearchData, batch: int):
    contenders = list(simhash_contenders(data.base, K, batch))
    best = measure(contenders, data.queries, true_rows(data), passes=1)[-1]
    assert best.contender.knobs == {"probe": 1.0, "candidates": 1100}
    assert best.recall == 1


def test_every_step_and_rival_answers(data: SearchData):
    contenders = [
        next(iter(made))
        for made in (
            hamming_contenders(data.base, K),
            look_up_contenders(data.base, K),
            annoy_contenders(data.base[:500], K),
            flat_contenders(data.base, K, 1),
        )
    ]
    found = measure(contenders[:2], data.queries, true_rows(data), passes=1)
    assert [one.recall > 0.9 for one in found] == [True, True]
    for contender in contenders:
        assert contender.rows(contender.search(data.queries[:1])).shape == (1, K)


def test_growth_is_measured_and_kept(data: SearchData, tmp_path: Path):
    record = Record(tmp_path / "search.jsonl", data, passes=1, run="first")
    bar = growth_bar(data, 6000, record)
    record.keep_bar(bar)
    results = read_results(tmp_path / "search.jsonl")
    assert [r.metrics for r in results if r.name == "growth"] != []
    assert results[-1].name == f"bar: {bar.name}"
    assert {"openblas_coretype", "load_average"} <= set(results[-1].config)
    Record(record.path, data, passes=1, run="second").keep_bar(Bar("kernel", 2.5, 2))
    run = latest_run(read_results(record.path))
    assert "| kernel | >= 2 | 2.50 | met |" in bars_table(run)
    assert "growth" not in bars_table(run)
    assert "| simhash of 6000 rows |" in rates_table(results)
