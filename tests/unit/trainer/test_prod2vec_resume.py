import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from artifacts.embeddings import EmbeddingTable
from artifacts.versions import VersionedRoot
from tests.made_sessions import prepare_sessions, themed_sessions

ROOT = Path(__file__).resolve().parents[3]
TRAIN = """
import os, signal, sys
from pathlib import Path
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from trainer.config import Prod2VecConfig
from trainer.prod2vec import train_prod2vec

class Killed(SilentProgress):
    steps = 0
    def advance(self, amount=1):
        self.steps += amount
        print(amount)
        if self.steps == int(sys.argv[3]):
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)

config = Prod2VecConfig(
    dimensions=8, epochs=6, negative=3, workers=1, min_count=1, checkpoint_s=0, subsample=1e-2
)
prepared = Prepared.open(Path(sys.argv[1]))
train_prod2vec(prepared, config, VersionedRoot(Path(sys.argv[2])), progress=Killed())
"""
NEVER = -1


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare_sessions(tmp_path_factory.mktemp("shop"), themed_sessions(150))


def train(prepared, root: Path, *, hash_seed: int, die_at: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", TRAIN, str(prepared.path), str(root), str(die_at)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=False,
    )


def opened(root: Path) -> EmbeddingTable:
    return EmbeddingTable.open(VersionedRoot(root).current(hint=""), "cf")


def test_killed_training_goes_on_and_ends_with_the_bytes_of_one_that_ran_through(
    prepared, tmp_path
):
    through, broken = tmp_path / "through", tmp_path / "broken"
    assert train(prepared, through, hash_seed=1, die_at=NEVER).returncode == 0
    killed = train(prepared, broken, hash_seed=2, die_at=4)
    assert killed.returncode == -signal.SIGKILL
    assert VersionedRoot(broken).ids() == []
    resumed = train(prepared, broken, hash_seed=3, die_at=NEVER)
    assert resumed.returncode == 0, resumed.stderr
    # Killed at the step of the fourth epoch, before its checkpoint: three epochs are not done again.
    assert resumed.stdout.split() == ["3", "1", "1", "1"]
    assert VersionedRoot(through).ids() == VersionedRoot(broken).ids()
    expected, found = opened(through), opened(broken)
    np.testing.assert_array_equal(found.vectors, expected.vectors)
    np.testing.assert_array_equal(found.outputs, expected.outputs)
    assert not list(broken.glob(".checkpoints-*"))
