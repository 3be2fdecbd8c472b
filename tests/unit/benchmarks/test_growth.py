from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from artifacts.errors import ConfigError
from benchmarks import growth, growth_rows
from benchmarks.growth_case import BACKENDS, EFFORTS, private_peak
from benchmarks.growth_report import exponent, growth_table, projection_table, write_growth_chart
from benchmarks.growth_rows import made_queries, true_neighbors, write_rows
from benchmarks.machine import describe_machine
from benchmarks.results import Result, read_results
from indexer.backends import build_index
from indexer.config import ExactConfig
from indexer.index import Metric


def test_larger_catalogue_holds_the_smaller_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(growth_rows, "BLOCK", 64)
    small = write_rows(tmp_path / "small.npy", 100, seed=3)
    large = write_rows(tmp_path / "large.npy", 300, seed=3)
    np.testing.assert_array_equal(small, large[:100])
    np.testing.assert_allclose(np.linalg.norm(large, axis=1), 1, rtol=1e-5)
    assert large.dtype == np.float32
    assert len(np.unique(np.asarray(large), axis=0)) == 300
    queries = made_queries(50, seed=3)
    assert (queries @ large.T).max() < 0.9999


def test_truth_equals_exact_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(growth_rows, "BLOCK", 128)
    vectors = write_rows(tmp_path / "base.npy", 1000, seed=3)
    queries = made_queries(20, seed=3)
    index = build_index(np.array(vectors), Metric.COSINE, ExactConfig(), seed=1, threads=1)
    exact = index.search(queries, 7).rows
    np.testing.assert_array_equal(
        np.sort(true_neighbors(vectors, queries, 7), axis=1), np.sort(exact, axis=1)
    )


def test_private_memory_of_a_block_is_seen():
    with private_peak() as peak:
        held = np.ones(40 << 20, dtype=np.uint8)
        while peak[0] < 30 << 20:
            held += 1
    assert peak[0] >= 30 << 20


def test_every_backend_has_efforts():
    assert set(EFFORTS) == set(BACKENDS)


def test_a_backend_is_measured_in_a_process_of_its_own(tmp_path: Path):
    results = tmp_path / "growth.jsonl"
    growth.run(rows=[1500], backend=["exact"], limit_s=100, work=tmp_path / "w", results=results)
    (result,) = read_results(results)
    assert result.metrics["recall"] == 1
    assert result.metrics["size_bytes"] > 1500 * 400
    assert result.config["rows"] == 1500
    assert list((tmp_path / "w").iterdir()) == []


def test_a_backend_whose_time_is_up_is_recorded_as_such(tmp_path: Path):
    results = tmp_path / "growth.jsonl"
    growth.run(rows=[100], backend=["annoy"], limit_s=0.01, work=tmp_path / "w", results=results)
    (result,) = read_results(results)
    assert result.metrics == {"timed_out_s": 0.01}
    assert "not within 0 s" in growth_table([result])


def test_unknown_backends_are_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="got 'lucene'"):
        growth.run(rows=[100], backend=["lucene"], work=tmp_path, results=tmp_path / "r.jsonl")


def made(kind: str, rows: int, build_s: float, **metrics: float) -> Result:
    measured = {
        "build_s": build_s,
        "peak_private_bytes": 2.0**20 * rows,
        "size_bytes": 400.0 * rows,
        "load_s": 0.001,
        "recall": 0.95,
        "single_us": 10 * rows**0.5,
        "batched_us": 5.0,
    }
    return Result(
        suite="growth",
        name=f"{kind} {rows}",
        measured_at=datetime(2026, 11, 24, tzinfo=UTC),
        machine=describe_machine(),
        data="made",
        config={"kind": kind, "rows": rows, "k": 10, "queries": 5},
        metrics=measured | metrics,
    )


def test_table_takes_the_latest_of_each_and_projects_by_a_power_law(tmp_path: Path):
    results = [
        made("faiss", 10_000, 99),
        made("annoy", 10_000, 5),
        made("faiss", 10_000, 1),
        made("faiss", 1_000_000, 1_000),
    ]
    table = growth_table(results)
    assert table.count("| faiss |") == 2
    assert "99.0 s" not in table
    assert exponent((10_000, 1_000_000), (1, 1_000)) == pytest.approx(1.5)
    projected = projection_table(results, rows=100_000_000)
    assert "annoy" not in projected  # one size says nothing of growth
    hours = 1_000 * 100**1.5 / 3600
    assert f"| faiss | 1,000,000 | {hours:,.1f} h |" in projected
    assert "| 100.0 ms | 1.50, 1.00, 1.00, 0.50 |" in projected
    write_growth_chart(results, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_is_projected_from_little():
    results = [made("faiss", 1_000, 1), made("faiss", 10_000, 9)]
    assert projection_table(results).startswith("Not projected: 10,000 rows")


def test_report_fills_a_document(tmp_path: Path):
    document = tmp_path / "growth.md"
    marks = (f"<!-- bench:{n} -->\n<!-- /bench:{n} -->" for n in ("growth", "projection"))
    document.write_text("\n".join(marks))
    kept = tmp_path / "growth.jsonl"
    kept.write_text("".join(made("exact", n, n).model_dump_json() + "\n" for n in (100, 1000)))
    growth.report(document, kept)
    assert "| exact | 1,000 |" in document.read_text()
    assert document.with_suffix(".png").exists()
