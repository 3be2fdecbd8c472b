"""Builds that are killed, that run out of disk, or that are not alone."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from artifacts.progress import SilentProgress
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from indexer.build import SnapshotInputs, build_snapshot
from indexer.precompute import STORES_NAME, BlockStores, part_work
from indexer.publish import publish
from tests.doomed_process import BLOCK, ITEMS, config, inputs_of, write_inputs
from tests.made_artifacts import MADE_AT

REPOSITORY = Path(__file__).resolve().parents[3]


class Counted(SilentProgress):
    """Counts steps that are not told at once: blocks that were computed."""

    def __init__(self) -> None:
        self.blocks = 0

    def advance(self, amount: int = 1) -> None:
        self.blocks += amount == BLOCK


def doomed(folder: Path, ending: str, when: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.doomed_process", str(folder), ending, str(when)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def lists_of(snapshot: Snapshot) -> Sequence[np.ndarray]:
    return [
        np.asarray(array)
        for table in snapshot.neighbors.values()
        for array in (table.positions, table.rows, table.scores)
    ]


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SnapshotInputs:
    monkeypatch.setattr(part_work, "BLOCK", BLOCK)
    return write_inputs(tmp_path)


def built(
    folder: Path, root: VersionedRoot, progress: SilentProgress | None = None, *, seed: int = 2
) -> Snapshot:
    return build_snapshot(
        inputs_of(folder), config(seed), root, progress=progress or SilentProgress(), now=MADE_AT
    )


def published(inputs: SnapshotInputs, folder: Path) -> tuple[VersionedRoot, str]:
    root = VersionedRoot(folder / "snapshots")
    id = built(folder, root, seed=1).id
    publish(root, id, now=MADE_AT)
    return root, id


def test_killed_run_goes_on_where_it_stopped(inputs: SnapshotInputs, tmp_path: Path):
    root = VersionedRoot(tmp_path / "snapshots")
    assert doomed(tmp_path, "killed", ITEMS + ITEMS // 2).returncode == -signal.SIGKILL
    assert root.ids() == []
    left = list((root.root / STORES_NAME).glob("*/*.npz"))
    assert ITEMS // BLOCK < len(left) < 2 * ITEMS // BLOCK
    progress = Counted()
    resumed = built(tmp_path, root, progress)
    assert progress.blocks == 2 * ITEMS // BLOCK - len(left)
    assert not (root.root / STORES_NAME).exists()
    alone = built(tmp_path, VersionedRoot(tmp_path / "others"))
    for one, other in zip(lists_of(resumed), lists_of(alone), strict=True):
        np.testing.assert_array_equal(one, other)


def test_block_that_is_damaged_is_computed_again(inputs: SnapshotInputs, tmp_path: Path):
    root = VersionedRoot(tmp_path / "snapshots")
    doomed(tmp_path, "killed", 2 * ITEMS)
    first, second, *others = sorted((root.root / STORES_NAME).glob("*/*.npz"))
    first.write_bytes(first.read_bytes()[:-100])
    whole = bytearray(second.read_bytes())
    whole[len(whole) // 2] ^= 1
    second.write_bytes(whole)
    progress = Counted()
    resumed = built(tmp_path, root, progress)
    assert progress.blocks == 2 * ITEMS // BLOCK - len(others)
    alone = built(tmp_path, VersionedRoot(tmp_path / "others"))
    for one, other in zip(lists_of(resumed), lists_of(alone), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bytes", [1_000, 3_500])
def test_full_disk_is_told_and_the_old_version_still_serves(
    inputs: SnapshotInputs, tmp_path: Path, bytes: int
):
    root, id = published(inputs, tmp_path)
    finished = doomed(tmp_path, "disk full", bytes)
    assert finished.returncode == 1
    assert "ArtifactError" in finished.stderr
    assert "could not be written" in finished.stderr
    assert root.ids() == [id]
    assert Snapshot.open(root.current(hint="")).id == id


@pytest.mark.parametrize(("ending", "when"), [("killed", ITEMS), ("killed in publishing", 0)])
def test_old_version_still_serves_when_the_next_one_is_killed(
    inputs: SnapshotInputs, tmp_path: Path, ending: str, when: int
):
    root, id = published(inputs, tmp_path)
    assert doomed(tmp_path, ending, when).returncode == -signal.SIGKILL
    assert Snapshot.open(root.current(hint="")).id == id
    publish(root, id, now=MADE_AT)  # the journal and the root are whole
    assert root.ids() == [id]


def test_two_builders_at_once_both_finish(inputs: SnapshotInputs, tmp_path: Path):
    root = VersionedRoot(tmp_path / "snapshots")
    assert doomed(tmp_path, "killed", ITEMS).returncode == -signal.SIGKILL
    stores = [path.name for path in (root.root / STORES_NAME).iterdir()]
    with BlockStores(root.root / STORES_NAME) as claimed:
        folders = [claimed.claim(name).folder for name in stores]
        assert doomed(tmp_path, "nothing").returncode == 0
        assert all(any(folder.glob("*.npz")) for folder in folders)
    alone = built(tmp_path, VersionedRoot(tmp_path / "others"))
    (beside,) = root.ids()
    for one, other in zip(lists_of(Snapshot.open(root.path(beside))), lists_of(alone), strict=True):
        np.testing.assert_array_equal(one, other)


def test_store_is_claimed_by_one_at_a_time_and_survives_a_failure(tmp_path: Path):
    folder = failed_claim(tmp_path / "stores")
    with BlockStores(tmp_path / "stores") as stores:
        assert stores.claim("a").folder == folder
    assert not (tmp_path / "stores").exists()


def failed_claim(root: Path) -> Path:
    with suppress(ZeroDivisionError), BlockStores(root) as first:
        folder = first.claim("a").folder
        with BlockStores(root) as second:
            assert second.claim("a").folder != folder
        assert folder.exists()
        raise ZeroDivisionError
    return folder
