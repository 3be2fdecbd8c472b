"""`bench` as people run it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.results import read_results

GOLDEN = Path(__file__).parents[1] / "golden" / "results"


def bench(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        timeout=300,
        check=False,
    )


@pytest.fixture
def vectors(tmp_path) -> Path:
    rng = np.random.default_rng(3)
    np.save(tmp_path / "base.npy", rng.standard_normal((500, 8)).astype(np.float16))
    np.save(tmp_path / "queries.npy", rng.standard_normal((20, 8)).astype(np.float16))
    return tmp_path


def test_run_measures_every_backend_on_a_snapshot(tiny_snapshots, tmp_path):
    done = bench("run", "--smoke", "--snapshots", str(tiny_snapshots.root), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    results = read_results(tmp_path / "build/bench/search.jsonl")
    assert {r.config["kind"] for r in results} == {"exact", "annoy", "faiss", "simhash"}
    exact = next(r for r in results if r.config["kind"] == "exact")
    assert exact.metrics["recall"] == 1.0


def test_run_measures_vectors_in_files_and_report_shows_them(vectors):
    words = ("--base", "base.npy", "--queries", "queries.npy", "--results", "r.jsonl")
    done = bench("run", "--smoke", *words, folder=vectors)
    assert done.returncode == 0, done.stderr
    shown = bench("report", "r.jsonl", folder=vectors)
    assert "| exact | 1.000 |" in shown.stdout
    assert "k = 10, 20 queries" in shown.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--base", "base.npy"), 2, "--queries"),
        (("--base", "none.npy", "--queries", "queries.npy"), 1, "none.npy"),
        (("--base", "base.npy", "--queries", "narrow.npy"), 1, "8 dimensions, got 7"),
        (("--base", "base.npy", "--queries", "queries.npy", "-k", "501"), 1, "k = 501"),
        (("--snapshots", "nowhere"), 1, "shelfmate run"),
    ],
)
def test_bad_input_is_named_and_leaves_no_results(vectors, words, code, message):
    np.save(vectors / "narrow.npy", np.zeros((5, 7), np.float32))
    done = bench("run", "--smoke", *words, folder=vectors)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert not (vectors / "build").exists()


def test_report_writes_a_page_and_fills_documents(tmp_path):
    (tmp_path / "doc.md").write_text("<!-- bench:fastest -->\n<!-- /bench:fastest -->\n")
    words = ("--html", "page.html", "--document", "doc.md")
    done = bench("report", str(GOLDEN / "before.jsonl"), *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "<!doctype html>" in (tmp_path / "page.html").read_text("utf-8")
    assert "| exact | 1.000 |" in (tmp_path / "doc.md").read_text("utf-8")
    assert "doc.md: filled fastest" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("before.jsonl", "after.jsonl"), 3, "metrics got worse by more than 5%"),
        (("before.jsonl", "after.jsonl", "--threshold", "0.5"), 0, "0 worse"),
        (("before.jsonl", "before.jsonl"), 0, "0 worse"),
        (("before.jsonl", "other-machine.jsonl"), 1, "--force"),
        (("before.jsonl", "other-machine.jsonl", "--force"), 3, "Missing after"),
        (("before.jsonl", "format-2.jsonl"), 1, "result format 2"),
        (("before.jsonl", "none.jsonl"), 1, "none.jsonl"),
    ],
)
def test_diff_says_what_got_worse_by_its_exit_code(words, code, said):
    done = bench("diff", *words, folder=GOLDEN)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--only", "nobody"), 2, "got 'nobody'"),
        (("--only", "pgvector"), 2, "--postgres"),
        (("--only", "annoy", "--peers-python", "none"), 2, "make peers"),
        (("--only", "annoy", "--batch", "100"), 1, "expected 200 queries"),
    ],
)
def test_comparison_that_cannot_be_made_is_refused_at_once(vectors, words, code, said):
    done = bench(
        "compare", *words, "--base", "base.npy", "--queries", "queries.npy", folder=vectors
    )
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert not (vectors / "build").exists()
