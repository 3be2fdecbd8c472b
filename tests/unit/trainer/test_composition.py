import numpy as np
import pytest

from artifacts.progress import SilentProgress
from tests.made_lists import ragged
from trainer.checkpoints import Checkpoints
from trainer.composition import PART_STREAM, ComposedModel, Composition, train_composed
from trainer.config import Prod2VecConfig
from trainer.pair_counts import PairCounts, count_pairs
from trainer.softmax import train_softmax
from trainer.softmax_model import INITIAL_SQUARE, SoftmaxModel

ROWS, PARTS = 13, 4
OF_ROWS = [[row % 3] if row % 4 else [row % 3, 3] for row in range(ROWS - 1)] + [[]]


SHARES = np.random.default_rng(8).uniform(0.5, 2, size=sum(map(len, OF_ROWS))).astype(np.float32)
HOLDS = np.zeros((ROWS, PARTS), dtype=np.float32)
HOLDS[
    np.repeat(np.arange(ROWS), [len(row) for row in OF_ROWS]),
    [part for row in OF_ROWS for part in row],
] = SHARES


def config(**softmax: float) -> Prod2VecConfig:
    return Prod2VecConfig.model_validate({"dimensions": 6, "seed": 5, "softmax": softmax})


@pytest.fixture(scope="module")
def pairs() -> PairCounts:
    rng = np.random.default_rng(0)
    sessions = rng.integers(4, size=(60, 5)) + 4 * rng.integers(3, size=(60, 1))
    return count_pairs(ragged(sessions.tolist()), ROWS, window=2, distance_exponent=1.0)


def composition(prior: float = 0.0, lists: list[list[int]] = OF_ROWS) -> Composition:
    held = np.linspace(0, prior, ROWS).astype(np.float32)
    parts = ragged(lists)
    return Composition(parts, SHARES[: len(parts.values)], PARTS, held)


def train(pairs: PairCounts, chosen: Prod2VecConfig, kept: Checkpoints | None = None, prior=0.0):
    return train_composed(
        pairs, composition(prior), chosen, checkpoints=kept, progress=SilentProgress()
    )


def by_numpy(pairs: PairCounts, chosen: Prod2VecConfig, prior: float) -> list[np.ndarray]:
    """Return own and part matrices after the first step, all rows in one batch, by dense arrays."""
    settings = chosen.softmax
    assert settings is not None
    own = SoftmaxModel.untrained(ROWS, 6, chosen.seed)
    parts = SoftmaxModel.untrained(PARTS, 6, [chosen.seed, PART_STREAM])
    asked = own.vectors + HOLDS @ parts.vectors
    outputs = own.outputs + HOLDS @ parts.outputs
    learnt = pairs.totals > 0
    rng = np.random.default_rng([chosen.seed, 0])
    rng.permutation(np.flatnonzero(learnt))
    share = pairs.totals.astype(np.float64) ** settings.noise_exponent * learnt
    share /= share.sum()
    noise = np.searchsorted(np.cumsum(share), rng.random(settings.noise))
    wanted = np.zeros((ROWS, ROWS))
    wanted[np.repeat(np.arange(ROWS), np.diff(pairs.starts)), pairs.columns] = pairs.shares
    drawn = np.bincount(noise, minlength=ROWS) / np.maximum(settings.noise * share, 1e-300)
    mass = np.exp(asked @ outputs.T) * ((wanted > 0) + drawn)
    pull = mass / mass.sum(axis=1, keepdims=True) - wanted
    pull[~learnt] = 0
    weights = (pairs.totals / pairs.totals[learnt].mean()) ** settings.item_exponent
    held = np.linspace(0, prior, ROWS)[:, None] * own.vectors
    held[~learnt] = 0
    vector_pulls, output_pulls = pull @ outputs, (pull * weights[:, None]).T @ asked
    return [
        stepped(own.vectors, vector_pulls + held, settings.learning_rate),
        stepped(own.outputs, output_pulls, settings.learning_rate),
        stepped(parts.vectors, HOLDS.T @ (vector_pulls * weights[:, None]), settings.learning_rate),
        stepped(parts.outputs, HOLDS.T @ output_pulls, settings.learning_rate),
    ]


def stepped(matrix, pulls, rate: float) -> np.ndarray:
    return np.asarray(matrix - rate * pulls / np.sqrt(INITIAL_SQUARE + pulls**2))


@pytest.mark.parametrize("prior", [0.0, 3.0])
def test_a_step_is_that_of_dense_arrays(pairs, prior):
    chosen = config(epochs=1, noise=7, batch=64)
    model = train(pairs, chosen, prior=prior)
    found = [model.own.vectors, model.own.outputs, model.parts.vectors, model.parts.outputs]
    for one, expected in zip(found, by_numpy(pairs, chosen, prior), strict=True):
        np.testing.assert_allclose(one, expected, rtol=5e-4, atol=5e-5)


def test_rows_without_parts_learn_as_plain_softmax_does(pairs):
    chosen = config(epochs=3, noise=8, batch=5, dropout=0.2)
    bare = composition(lists=[[] for _ in range(ROWS)])
    composed = train_composed(pairs, bare, chosen, checkpoints=None, progress=SilentProgress())
    plain = train_softmax(pairs, chosen, checkpoints=None, progress=SilentProgress())
    np.testing.assert_array_equal(composed.own.vectors, plain.vectors)
    np.testing.assert_array_equal(composed.own.outputs, plain.outputs)


def test_the_prior_keeps_own_vectors_short(pairs):
    chosen = config(epochs=40, noise=8, batch=5)
    free, held = (train(pairs, chosen, prior=prior) for prior in (0.0, 5.0))
    last = slice(6, 12)  # the prior grows from row to row
    lengths = [np.linalg.norm(model.own.vectors[last]) for model in (free, held)]
    assert lengths[1] < 0.5 * lengths[0]


def test_vectors_are_shares_of_the_own_ones_and_whole_parts():
    own = SoftmaxModel.untrained(ROWS, 6, 1)
    parts = SoftmaxModel.untrained(PARTS, 6, 2)
    model = ComposedModel(own, parts, composition())
    shares = np.linspace(0, 1, ROWS).astype(np.float32)
    vectors, outputs = model.matrices(shares)
    kept = shares[:, None]
    np.testing.assert_allclose(vectors, kept * own.vectors + HOLDS @ parts.vectors, rtol=1e-4)
    np.testing.assert_allclose(outputs, kept * own.outputs + HOLDS @ parts.outputs, rtol=1e-4)


def test_resumed_training_ends_with_the_same_bytes(pairs, tmp_path):
    chosen = config(epochs=5, noise=8, batch=5)
    through = train(pairs, chosen, prior=1.0)
    kept = Checkpoints(tmp_path, every_s=0)
    train(pairs, chosen, kept, prior=1.0)
    latest = kept.latest()
    assert latest is not None
    assert latest.epochs == 4
    resumed = train(pairs, chosen, kept, prior=1.0)
    for one, other in ((through.own, resumed.own), (through.parts, resumed.parts)):
        for name, array in one.arrays.items():
            np.testing.assert_array_equal(other.arrays[name], array)
