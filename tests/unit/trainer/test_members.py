import numpy as np
import pytest

from artifacts.progress import SilentProgress
from tests.made_sessions import prepare_sessions, themed_sessions
from trainer.checkpoints import Checkpoints
from trainer.config import Prod2VecConfig
from trainer.members import fit_members, member_seed
from trainer.prod2vec import fit_prod2vec


def config(**softmax: float) -> Prod2VecConfig:
    table: dict[str, float] = {"epochs": 3, "batch": 16, "noise": 32, **softmax}
    return Prod2VecConfig.model_validate({"dimensions": 8, "min_count": 1, "softmax": table})


def drawn(one, part):
    rng = np.random.default_rng(one.seed)
    return tuple(rng.standard_normal((5, 3), dtype=np.float32) for _ in range(2))


def test_the_first_member_is_what_a_single_model_would_be():
    (alone, _), (three, _) = (fit_members(config(members=n), drawn, None) for n in (1, 3))
    np.testing.assert_allclose(three[:, :3] * np.sqrt(3), alone, rtol=1e-6)
    assert not np.allclose(three[:, 3:6], three[:, :3])


def test_seeds_of_members_differ():
    assert member_seed(7, 0) == 7
    assert len({member_seed(seed, number) for seed in range(20) for number in range(20)}) == 400


class Interrupted(SilentProgress):
    """Stops the process, so to say, after some steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def advance(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("steps", [1, 3, 4])
def test_a_training_that_was_interrupted_ends_with_the_same_bytes(tmp_path, steps):
    prepared = prepare_sessions(tmp_path / "prepared", themed_sessions(40))
    chosen = config(members=2, session_exponent=0.5, half_life=0.7)
    whole = fit_prod2vec(prepared, chosen, tmp_path, progress=SilentProgress())
    kept = Checkpoints(tmp_path / "kept", every_s=0)
    with pytest.raises(KeyboardInterrupt):
        fit_prod2vec(prepared, chosen, tmp_path, checkpoints=kept, progress=Interrupted(steps))
    resumed = fit_prod2vec(prepared, chosen, tmp_path, checkpoints=kept, progress=SilentProgress())
    np.testing.assert_array_equal(resumed.vectors, whole.vectors)
    np.testing.assert_array_equal(resumed.outputs, whole.outputs)
    assert whole.dim == 16
