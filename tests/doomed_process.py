"""Builds and publishes in a process that ends as told: `python -m tests.doomed_process`.

Arguments: the folder of the inputs, what ends it, and when.
"""

import os
import resource
import signal
import sys
from datetime import timedelta
from pathlib import Path

from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from indexer.bands_config import BandsConfig
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import ExactConfig, IndexConfig, SpaceIndexConfig
from indexer.precompute import part_work
from indexer.publish import publish
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared

BLOCK = 16
ITEMS = 160


class DyingProgress(SilentProgress):
    """Kills its process after so many steps of the stage that computes neighbours."""

    def __init__(self, steps: int) -> None:
        self._left = steps
        self._counts = False

    def start(self, stage: str, total: int | None = None) -> None:
        self._counts = stage.startswith("neighbours")

    def advance(self, amount: int = 1) -> None:
        if self._counts:
            self._left -= amount
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


class DyingRoot(VersionedRoot):
    """Kills its process just before `current` would move."""

    def use(self, id: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def write_inputs(folder: Path) -> SnapshotInputs:
    """Write what a snapshot is built from."""
    write_prepared(folder / "prepared", ITEMS)
    write_embedding(folder / "cf", range(ITEMS), clustered(ITEMS, seed=1), clustered(ITEMS, seed=2))
    return inputs_of(folder)


def inputs_of(folder: Path) -> SnapshotInputs:
    """Open what `write_inputs` wrote."""
    return SnapshotInputs(Prepared.open(folder / "prepared"), {"cf": folder / "cf"})


def config(seed: int = 2) -> IndexConfig:
    """Return settings of a build with bands; with another seed nothing is taken from before."""
    space = SpaceIndexConfig(
        space="cf", backend=ExactConfig(), neighbors=6, bands=BandsConfig(max_between=0.5)
    )
    return IndexConfig(spaces=(space,), threads=1, seed=seed)


def main(folder: Path, ending: str, when: int) -> None:
    """Build or publish below `folder/snapshots` and end in the way that is named."""
    part_work.BLOCK = BLOCK
    root = VersionedRoot(folder / "snapshots")
    now = MADE_AT + timedelta(minutes=1)
    progress = SilentProgress()
    if ending == "killed":
        progress = DyingProgress(when)
    elif ending == "disk full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (when, when))
    elif ending == "killed in publishing":
        publish(DyingRoot(root.root), root.ids()[-1], now=now)
    build_snapshot(inputs_of(folder), config(), root, progress=progress, now=now)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
