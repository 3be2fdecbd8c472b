import numpy as np
import pytest
from numpy.typing import NDArray

from artifacts.progress import SilentProgress
from artifacts.ragged import Ragged
from trainer.checkpoints import Checkpoints
from trainer.config import Prod2VecConfig
from trainer.pair_counts import PairCounts, count_pairs
from trainer.softmax import train_softmax
from trainer.softmax_model import INITIAL_SQUARE, SoftmaxModel

Float64 = NDArray[np.float64]


def config(**softmax: float) -> Prod2VecConfig:
    return Prod2VecConfig.model_validate({"dimensions": 6, "seed": 5, "softmax": softmax})


def train(pairs: PairCounts, chosen: Prod2VecConfig, checkpoints: Checkpoints | None = None):
    return train_softmax(pairs, chosen, checkpoints=checkpoints, progress=SilentProgress())


@pytest.fixture(scope="module")
def pairs() -> PairCounts:
    rng = np.random.default_rng(0)
    sessions = rng.integers(4, size=(60, 5)) + 4 * rng.integers(3, size=(60, 1))
    lists = Ragged.of(np.full(60, 5), sessions.astype(np.int32).ravel())
    return count_pairs(lists, 13, window=2, distance_exponent=1.0)


def dense(pairs: PairCounts) -> Float64:
    shares = np.zeros((len(pairs), len(pairs)))
    items = np.repeat(np.arange(len(pairs)), np.diff(pairs.starts))
    shares[items, pairs.columns] = pairs.shares
    return shares


def by_numpy(pairs: PairCounts, chosen: Prod2VecConfig) -> tuple[Float64, Float64]:
    """Return both matrices after the first step, by dense arrays and the formulae of the papers."""
    settings = chosen.softmax
    assert settings is not None
    untrained = SoftmaxModel.untrained(len(pairs), chosen.dimensions, chosen.seed)
    outputs = untrained.outputs.astype(np.float64)
    rng = np.random.default_rng([chosen.seed, 0])
    batch = rng.permutation(np.flatnonzero(pairs.totals > 0))
    share = pairs.totals.astype(np.float64) ** settings.noise_exponent * (pairs.totals > 0)
    share /= share.sum()
    noise = np.searchsorted(np.cumsum(share), rng.random(settings.noise))
    shape = (len(batch), chosen.dimensions)
    mask = (rng.random(shape, dtype=np.float32) >= settings.dropout) / (1 - settings.dropout)
    asked = untrained.vectors[batch] * mask
    wanted = dense(pairs)[batch]  # (b, n)
    drawn = np.bincount(noise, minlength=len(pairs)) / np.maximum(settings.noise * share, 1e-300)
    # Each output counts as often as it stands for: neighbours once, and draws by what they are of.
    mass = np.exp(asked @ outputs.T) * ((wanted > 0) + drawn)
    pull = mass / mass.sum(axis=1, keepdims=True) - wanted  # (b, n)
    weights = (pairs.totals / pairs.totals[batch].mean()) ** settings.item_exponent
    vector_pulls = np.zeros(untrained.vectors.shape)
    vector_pulls[batch] = (pull @ outputs) * mask
    output_pulls = (pull * weights[batch, None]).T @ asked
    return (
        _stepped(untrained.vectors, vector_pulls, settings.learning_rate),
        _stepped(outputs, output_pulls, settings.learning_rate),
    )


def _stepped(matrix, pulls: Float64, rate: float) -> Float64:
    return np.asarray(matrix - rate * pulls / np.sqrt(INITIAL_SQUARE + pulls**2))


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_a_step_is_that_of_dense_arrays(pairs, dropout):
    chosen = config(epochs=1, noise=7, dropout=dropout, batch=64)
    model = train(pairs, chosen)
    vectors, outputs = by_numpy(pairs, chosen)
    np.testing.assert_allclose(model.vectors, vectors, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(model.outputs, outputs, rtol=2e-4, atol=2e-5)


def test_probabilities_become_those_of_the_pairs(pairs):
    model = train(pairs, config(epochs=400, noise=64, batch=4, item_exponent=0, learning_rate=0.2))
    scores = model.vectors @ model.outputs.T
    learnt = pairs.totals > 0
    masses = np.exp(scores)[np.ix_(learnt, learnt)]
    probabilities = masses / masses.sum(axis=1, keepdims=True)
    shares = dense(pairs)[np.ix_(learnt, learnt)]
    # Six dimensions do not hold them all; the total variation distance of a guess is about 0.8.
    assert np.abs(probabilities - shares).sum(axis=1).max() / 2 < 0.15


def test_decay_keeps_vectors_short(pairs):
    free, held = (train(pairs, config(epochs=50, noise=8, decay=decay)) for decay in (0, 0.3))
    assert np.linalg.norm(held.vectors[:12]) < 0.8 * np.linalg.norm(free.vectors[:12])


def test_items_without_neighbours_stay_as_they_began(pairs):
    untrained = SoftmaxModel.untrained(13, 6, 5)
    model = train(pairs, config(epochs=3, noise=8))
    assert pairs.totals[12] == 0
    np.testing.assert_array_equal(model.vectors[12], untrained.vectors[12])
    np.testing.assert_array_equal(model.outputs[12], untrained.outputs[12])


def test_resumed_training_ends_with_the_same_bytes(pairs, tmp_path):
    chosen = config(epochs=5, noise=8, batch=5)
    through = train(pairs, chosen)
    kept = Checkpoints(tmp_path, every_s=0)
    train(pairs, chosen, kept)
    latest = kept.latest()
    assert latest is not None
    assert latest.epochs == 4
    resumed = train(pairs, chosen, kept)
    for name, array in through.arrays.items():
        np.testing.assert_array_equal(resumed.arrays[name], array)
