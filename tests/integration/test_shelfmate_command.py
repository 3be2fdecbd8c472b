"""The command as people run it: real processes, real files, exit codes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from cli.child_server import child_server
from tests.shop_files import SHOP, write_csv, write_shop


def shelfmate(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def finished_shop(tmp_path_factory) -> Path:
    """A folder in which `shelfmate run` has run once; tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("finished")
    write_shop(folder)
    done = shelfmate("run", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def shop(finished_shop, tmp_path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(finished_shop, folder)
    return folder


def test_run_puts_a_snapshot_of_every_item_in_service(finished_shop):
    snapshot = Snapshot.open(VersionedRoot(finished_shop / "work/snapshots").current(hint=""))
    assert snapshot.contents.items == 180
    assert snapshot.items.row("0000") >= 0
    assert snapshot.contents.gate["passed"] is True
    assert {entry.category for entry in snapshot.contents.indices} == {
        f"group {group}" for group in range(6)
    }


def test_prod2vec_beats_popularity_on_sessions_with_structure(finished_shop):
    snapshot = Snapshot.open(VersionedRoot(finished_shop / "work/snapshots").current(hint=""))
    mrr = {m["method"]: m["mrr"]["mean"] for m in snapshot.contents.quality["methods"]}
    assert mrr["cf continuations"] > 2 * mrr["most popular"]


def test_train_takes_the_spaces_that_are_named_and_refuses_others(shop):
    text = (shop / "shop.toml").read_text("utf-8")
    content = (
        "[train.content]\ndimensions = 8\nepochs = 1\nworkers = 1\nbuckets = 1024\n\n[evaluate]"
    )
    (shop / "shop.toml").write_text(text.replace("[evaluate]", content), "utf-8")
    done = shelfmate("train", "content", folder=shop)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("content: ")
    drawn = shelfmate("map", "content", folder=shop)
    assert drawn.returncode == 0, drawn.stderr
    assert (shop / "work/maps/content.html").exists()
    refused = shelfmate("train", "user", folder=shop)
    assert refused.returncode == 2
    assert "[train.<space>]" in refused.stderr


def test_stages_one_by_one_give_what_run_gives(tmp_path, finished_shop):
    write_shop(tmp_path)
    for stage in ("prepare", "train", "evaluate", "index", "publish"):
        done = shelfmate(stage, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    for root in ("prepared", "embeddings/cf"):
        mine, theirs = (VersionedRoot(f / "work" / root) for f in (tmp_path, finished_shop))
        assert mine.current_id() == theirs.current_id()


def test_a_second_run_reuses_finished_stages(shop):
    root = VersionedRoot(shop / "work/snapshots")
    before = root.ids()
    done = shelfmate("run", folder=shop)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("is up to date") >= 3
    assert root.ids() == before


def test_rollback_returns_to_the_snapshot_before(shop):
    root = VersionedRoot(shop / "work/snapshots")
    first = root.current_id()
    text = (shop / "shop.toml").read_text("utf-8").replace("neighbors = 10", "neighbors = 9")
    (shop / "shop.toml").write_text(text, "utf-8")
    assert shelfmate("index", folder=shop).returncode == 0
    assert shelfmate("publish", folder=shop).returncode == 0
    assert root.current_id() != first
    done = shelfmate("rollback", folder=shop)
    assert done.returncode == 0, done.stderr
    assert root.current_id() == first
    listed = shelfmate("snapshots", folder=shop).stdout
    assert f"* {first}" in " ".join(listed.split())


def test_a_served_item_is_shown_by_title_score_and_source(finished_shop, tmp_path):
    with child_server(finished_shop / "shop.toml", tmp_path) as address:
        done = shelfmate("similar", "0000", "--address", address, "-k", "3", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "product 0 of group 0" in done.stdout
        assert "precomputed" in done.stdout
        many = shelfmate("similar", "0000", "--address", address, "-k", "0", folder=tmp_path)
        assert many.returncode == 2
        assert "k: expected 1 to 1000, got 0" in many.stderr


def test_no_server_at_the_address_is_a_settings_error(tmp_path):
    done = shelfmate("similar", "0000", "--address", "127.0.0.1:1", folder=tmp_path)
    assert done.returncode == 2
    assert "127.0.0.1:1" in done.stderr


@pytest.mark.parametrize(
    ("before", "after", "code", "words"),
    [
        ('path = "events.csv"', 'path = "nowhere.csv"', 2, "nowhere.csv"),
        ('position = "position"', 'position = "place"', 2, "place"),
        ("[train.cf]\n", "[train.cf]\nwindows = 3\n", 2, "train.cf.windows"),
        ("epochs = 8", "epochs = 0", 2, "train.cf.epochs"),
        ('work_dir = "work"\n', "", 2, "work_dir"),
        ('space = "cf"', 'space = "content"', 2, "content"),
        ("work_dir", "work_dir = = ", 2, "TOML"),
    ],
)
def test_wrong_settings_name_the_fault_and_exit_with_2(tmp_path, before, after, code, words):
    assert before in SHOP
    write_shop(tmp_path, SHOP.replace(before, after, 1))
    done = shelfmate("run", folder=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_shop_file_is_a_settings_error(tmp_path):
    done = shelfmate("prepare", "-c", "none.toml", folder=tmp_path)
    assert done.returncode == 2
    assert "none.toml" in done.stderr


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ({"session_id": [], "position": [], "item_id": []}, "no event"),
        (
            {"session_id": ["a", "a"], "position": ["1", "2"], "item_id": ["x", "x"]},
            "two different",
        ),
        ({"session_id": ["a", "b"], "position": ["1", "1"], "item_id": ["x", "y"]}, "no training"),
    ],
)
def test_events_to_learn_nothing_from_exit_with_1(tmp_path, events, words):
    write_shop(tmp_path)
    write_csv(tmp_path / "events.csv", **events)
    done = shelfmate("prepare", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert words in done.stderr
    assert not list((tmp_path / "work" / "prepared").glob("*/manifest.json"))


def test_stages_out_of_order_name_the_stage_that_is_missing(tmp_path):
    write_shop(tmp_path)
    for stage, missing in (("train", "prepare"), ("index", "prepare"), ("publish", "index")):
        done = shelfmate(stage, folder=tmp_path)
        assert done.returncode == 1, done.stderr
        assert f"shelfmate {missing}" in done.stderr


def test_a_gate_that_fails_exits_with_3_and_can_be_forced(shop):
    text = (shop / "shop.toml").read_text("utf-8") + "\n[index.gate]\nmin_coverage = 1.0\n"
    # Items that nobody visits have no vector, so full coverage cannot be reached with one more.
    items = (shop / "items.csv").read_text("utf-8") + '"9999","unsold","group 0 > half 0"\n'
    (shop / "items.csv").write_text(items, "utf-8")
    (shop / "shop.toml").write_text(text, "utf-8")
    root = VersionedRoot(shop / "work/snapshots")
    before = root.current_id()
    refused = shelfmate("run", folder=shop)
    assert refused.returncode == 3, refused.stderr
    assert root.current_id() == before
    assert shelfmate("publish", "--force", folder=shop).returncode == 0
    assert root.current_id() != before


def test_a_damaged_snapshot_is_refused_at_start(shop, tmp_path):
    snapshot = VersionedRoot(shop / "work/snapshots").current(hint="")
    damaged = next(path for path in sorted(snapshot.rglob("vectors.npy")))
    data = bytearray(damaged.read_bytes())
    data[-1] ^= 1
    damaged.unlink()  # hard-linked with the embedding, which stays as it is
    damaged.write_bytes(bytes(data))
    done = shelfmate("serve", "--port", "0", folder=shop)
    assert done.returncode == 1
    assert "vectors.npy" in done.stderr
