"""`bench load` as people run it, on real servers; how fast they are is not asked here."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.results import Result, read_results
from tests.shop import item_id

SHOP = """
work_dir = "{work_dir}"

[prepare.events]
path = "none.csv"

[prepare.sessions]
order = "none"

[[index.spaces]]
space = "cf"
"""
PATIENT = ("--deadline-ms", "20000", "--results", "results.jsonl")

needs_two_cores = pytest.mark.skipif(
    not {0, 1} <= os.sched_getaffinity(0), reason="server and generator need a core each"
)


@pytest.fixture
def shop(tiny_snapshots, tmp_path) -> Path:
    """A shop file of which nothing but the snapshot in service is read."""
    path = tmp_path / "shop.toml"
    path.write_text(SHOP.format(work_dir=tiny_snapshots.root.parent))
    return path


def bench_load(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "load", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        timeout=300,
        check=False,
    )


def results_of(folder: Path) -> dict[str, Result]:
    return {result.name: result for result in read_results(folder / "results.jsonl")}


def test_running_server_is_asked_in_steps(child, tmp_path):
    (tmp_path / "ids.txt").write_text("\n".join(item_id(row) for row in range(40)))
    words = ("--ids", "ids.txt", "--steps", "40x1,80x0.5", "--mix", "item_page=2,home_page")
    done = bench_load("--address", child.target, *words, *PATIENT, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    counts = {name: result.config["counts"] for name, result in results_of(tmp_path).items()}
    assert counts == {"40/s for 1 s": {"OK": 40}, "80/s for 0.5 s": {"OK": 40}}
    assert "| 40/s for 1 s | 40.0 |" in done.stdout


@needs_two_cores
@pytest.mark.parametrize("chaos", ["swap", "kill"])
def test_no_call_fails_while_the_server_of_a_shop_is_disturbed(shop, tiny_snapshots, chaos):
    before = sorted(path.name for path in tiny_snapshots.root.iterdir())
    words = ("--config", "shop.toml", "--chaos", chaos, "--rate", "40", "--seconds", "2")
    done = bench_load(*words, *PATIENT, folder=shop.parent)
    assert done.returncode == 0, done.stderr
    results = results_of(shop.parent)
    assert list(results) == ["before", "meanwhile", "all"]
    assert results["all"].config["counts"] == {"OK": 80}
    total = sum((Counter(r.config["counts"]) for r in results.values()), Counter())
    assert set(total) == {"OK"}
    # The shop's own snapshots were not touched.
    assert sorted(path.name for path in tiny_snapshots.root.iterdir()) == before


def test_server_that_is_not_there_is_named_and_leaves_no_results(tmp_path):
    (tmp_path / "ids.txt").write_text("item-0001\n")
    words = ("--address", "127.0.0.1:1", "--ids", "ids.txt")
    done = bench_load(*words, *PATIENT, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "server at 127.0.0.1:1" in done.stderr
    assert not (tmp_path / "results.jsonl").exists()


def test_options_that_do_not_go_together_are_named(tmp_path):
    done = bench_load("--address", "127.0.0.1:1", *PATIENT, folder=tmp_path)
    assert done.returncode == 2
    assert "--address needs --ids" in done.stderr
