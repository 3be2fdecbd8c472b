import numpy as np
import pytest

from artifacts.errors import ArtifactError
from trainer.checkpoints import Checkpoints

ONES = np.ones((3, 2), dtype=np.float32)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_newest_checkpoint_comes_back_and_older_ones_are_gone(tmp_path):
    kept = Checkpoints(tmp_path / "kept", every_s=0)
    assert kept.latest() is None
    kept.offer(9, {"one": ONES, "other": 2 * ONES})
    kept.offer(10, {"one": 3 * ONES, "other": 4 * ONES})
    latest = Checkpoints(tmp_path / "kept", every_s=0).latest()
    assert latest is not None
    assert latest.epochs == 10
    np.testing.assert_array_equal(latest.arrays["one"], 3 * ONES)
    np.testing.assert_array_equal(latest.arrays["other"], 4 * ONES)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["epoch-000010"]
    kept.remove()
    assert not (tmp_path / "kept").exists()


def test_checkpoints_are_as_far_apart_as_asked(tmp_path):
    clock = Clock()
    kept = Checkpoints(tmp_path / "kept", every_s=60, clock=clock)
    clock.now = 59
    kept.offer(1, {"one": ONES})
    assert kept.latest() is None
    clock.now = 60
    kept.offer(2, {"one": ONES})
    clock.now = 119
    kept.offer(3, {"one": ONES})
    latest = kept.latest()
    assert latest is not None
    assert latest.epochs == 2


def test_half_written_checkpoints_do_not_count(tmp_path):
    kept = Checkpoints(tmp_path, every_s=0)
    kept.offer(1, {"one": ONES})
    # What a process leaves that dies while it writes; no process has this number.
    (tmp_path / ".epoch-000002.staging-4194999-00aa00aa").mkdir()
    latest = kept.latest()
    assert latest is not None
    assert latest.epochs == 1
    kept.offer(3, {"one": ONES})
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-000003"]


def test_a_damaged_checkpoint_is_an_error(tmp_path):
    kept = Checkpoints(tmp_path, every_s=0)
    kept.offer(1, {"one": ONES})
    (tmp_path / "epoch-000001" / "one.npy").write_bytes(b"")
    with pytest.raises(ArtifactError, match=r"one\.npy"):
        kept.latest()
