"""Tuning as people run it: one process after another on one study."""

import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from artifacts.versions import VersionedRoot
from cli.shop import load_shop
from tests.made_ranking import made_table, seal_table
from tests.shop_files import SHOP, write_shop

TUNE = """
[tune]
study = "one"
startup_trials = 2

[tune.ranges.cf]
learning_rate = { low = 0.001, high = 0.2, log = true }
window = { low = 1, high = 4 }
"""


def shelfmate(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        timeout=300,
        check=False,
    )


def trials(folder: Path) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name="one", storage=f"sqlite:///{folder}/work/studies.db").trials


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    write_shop(folder, SHOP + TUNE)
    for words in (("prepare",), ("tune", "cf", "--trials", "3", "--sample", "0.5")):
        done = shelfmate(*words, folder=folder)
        assert done.returncode == 0, done.stderr
    return folder


def test_winner_is_a_shop_file_that_is_ready_to_train(shop):
    tuned = load_shop(shop / "shop.cf-tuned.toml")
    assert tuned.index == load_shop(shop / "shop.toml").index
    best = max(trials(shop), key=lambda trial: trial.value or 0)
    kept = (tuned.train.cf.learning_rate, tuned.train.cf.window)
    present = load_shop(shop / "shop.toml").train.cf
    won = (best.params["learning_rate"], best.params["window"])
    assert kept in (won, (present.learning_rate, present.window))
    assert tuned.train.cf.dimensions == 16
    charts = {path.name for path in (shop / "work/charts/tune-one").iterdir()}
    assert {"history.html", "history.png"} <= charts


def test_further_processes_go_on_with_the_study(shop):
    before = trials(shop)
    words = ("--trials", str(len(before) + 2), "--sample", "0.5", "--workers", "2")
    done = shelfmate("tune", "cf", *words, folder=shop)
    assert done.returncode == 0, done.stderr
    after = trials(shop)
    assert [trial.params for trial in after[: len(before)]] == [trial.params for trial in before]
    assert len(after) >= len(before) + 2
    assert all(trial.state.is_finished() for trial in after)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("content",), "space: expected content, the study has cf"),
        (("cf", "--sample", "0.25"), "sample: expected 0.25 of the sessions"),
        (("user",), "score: expected MRR of last items, asked for by user"),
        (("images",), "expected one of the spaces"),
    ],
)
def test_a_study_of_something_else_is_refused_with_2(shop, words, fault):
    done = shelfmate("tune", *words, folder=shop)
    assert done.returncode == 2
    assert fault in done.stderr


def test_ranker_is_tuned_on_the_table_that_rank_made(tmp_path):
    write_shop(tmp_path, SHOP + "\n[train.ranker]\nrounds = 10\nmin_data_in_leaf = 5\n")
    missing = shelfmate("tune", "ranker", folder=tmp_path)
    assert missing.returncode == 1
    assert "shelfmate rank" in missing.stderr
    root = VersionedRoot(tmp_path / "work/ranking_table")
    seal_table(made_table(120), root.path("t1"))
    root.use("t1")
    done = shelfmate("tune", "ranker", "--trials", "2", "--sample", "1", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "NDCG@10 on what was set aside" in done.stdout
    tuned = load_shop(tmp_path / "shop.ranker-tuned.toml").train.ranker
    assert tuned is not None
    assert tuned.rounds == 10
