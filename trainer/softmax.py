"""Skip-gram with a sampled softmax over all items, batched so that matrix products do the work."""

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector
from artifacts.progress import Progress
from trainer.checkpoints import Checkpoints
from trainer.config import Prod2VecConfig
from trainer.pair_counts import PairCounts
from trainer.softmax_config import SoftmaxConfig
from trainer.softmax_kernels import UNTOUCHED, pull_noise, pull_pairs, score_pairs
from trainer.softmax_model import PlainRows, SoftmaxModel, SoftmaxRows

LAST_RATE = 0.01
"""Share of the learning rate that is left at the end."""


def train_softmax(
    pairs: PairCounts,
    config: Prod2VecConfig,
    *,
    checkpoints: Checkpoints | None,
    progress: Progress,
) -> SoftmaxModel:
    """Raise the probability of what stands near each item.

    Minimises, over items a, the cross entropy between the observed share of each neighbour c and
    softmax over c of u_a . w_c. Negative sampling (Mikolov et al. 2013) estimates log-probability
    ratios one pair and a few draws at a time; here an item meets all of its neighbours at once, and
    the rest of the sum over all items is estimated from draws that a batch shares, each divided by
    its expected number (Bengio and Senecal 2008; Jean et al. 2015). The neighbours themselves enter
    the sum exactly, which takes most of the variance away.

    Every epoch draws its random numbers from the seed and its own number, so that a resumed
    training goes the same way.

    Args:
        pairs: of n items.
        config: every knob; it has a table `softmax`.
        checkpoints: where the state is kept; None keeps none.
        progress: gets one step an epoch, those of the checkpoint included.

    Cost: O(epochs * (n * noise + pairs) * d).
    """
    settings = config.softmax
    assert settings is not None, "bug: softmax without its settings"
    model = SoftmaxModel.untrained(len(pairs), config.dimensions, config.seed)
    rows = PlainRows(model, settings.decay)
    run_epochs(pairs, rows, config, checkpoints=checkpoints, progress=progress)
    return model


def run_epochs(
    pairs: PairCounts,
    rows: SoftmaxRows,
    config: Prod2VecConfig,
    *,
    checkpoints: Checkpoints | None,
    progress: Progress,
) -> None:
    """Train `rows`, from their newest checkpoint on if there is one; see `train_softmax`."""
    settings = config.softmax
    assert settings is not None, "bug: softmax without its settings"
    done = _resume(rows, checkpoints)
    progress.advance(done)
    passes = _Epochs(pairs, rows, settings)
    for epoch in range(done, settings.epochs):
        passes.run(epoch, np.random.default_rng([config.seed, epoch]))
        progress.advance()
        if checkpoints and epoch + 1 < settings.epochs:
            checkpoints.offer(epoch + 1, rows.arrays)
    if checkpoints and settings.members > 1 and done < settings.epochs:
        checkpoints.store(settings.epochs, rows.arrays)


def _resume(rows: SoftmaxRows, checkpoints: Checkpoints | None) -> int:
    """Take over the newest checkpoint, if there is one; return its finished epochs."""
    latest = checkpoints.latest() if checkpoints else None
    if latest is None:
        return 0
    for name, array in latest.arrays.items():
        rows.arrays[name][:] = array
    return latest.epochs


class _Epochs:
    """Passes over the items, and the buffers that they share."""

    def __init__(self, pairs: PairCounts, rows: SoftmaxRows, config: SoftmaxConfig) -> None:
        self._pairs, self._rows, self._config = pairs, rows, config
        self._items: NDArray[np.int64] = np.flatnonzero(pairs.totals > 0)
        self._weights = _weights(pairs.totals, self._items, config.item_exponent)
        share = pairs.totals[self._items].astype(np.float64) ** config.noise_exponent
        # Drawn among items with pairs alone: rounding could let a draw end on one without any.
        self._cumulated = np.cumsum(share / share.sum())
        self._log_expected = np.full(len(pairs), -np.inf, dtype=np.float32)
        self._log_expected[self._items] = np.log(config.noise * share / share.sum())
        self._slots = np.full(len(pairs), UNTOUCHED, dtype=np.int64)
        self._touched = np.empty(len(pairs), dtype=np.int64)
        self._output_pulls = np.empty(rows.shape, dtype=np.float32)

    def run(self, epoch: int, rng: np.random.Generator) -> None:
        """Make one pass in a random order; the learning rate falls from batch to batch."""
        order = rng.permutation(self._items)
        firsts = range(0, len(order), self._config.batch)
        for number, first in enumerate(firsts):
            gone = (epoch + number / len(firsts)) / self._config.epochs
            rate = self._config.learning_rate * (1 - (1 - LAST_RATE) * gone)
            batch = order[first : first + self._config.batch]
            self._step(batch, self._draw(rng), self._mask(len(batch), rng), rate)

    def _draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        places = np.searchsorted(self._cumulated, rng.random(self._config.noise))
        drawn: NDArray[np.int64] = self._items[np.minimum(places, len(self._items) - 1)]
        return drawn

    def _mask(self, items: int, rng: np.random.Generator) -> FloatMatrix:
        """Return (b, d) zeros where a coordinate is left out, and what keeps the mean elsewhere."""
        shape = (items, self._rows.shape[1])
        kept = rng.random(shape, dtype=np.float32) >= self._config.dropout
        mask: FloatMatrix = kept * np.float32(1 / (1 - self._config.dropout))
        return mask

    def _step(
        self, batch: NDArray[np.int64], noise: NDArray[np.int64], mask: FloatMatrix, rate: float
    ) -> None:
        pairs, rows = self._pairs, self._rows
        outputs = rows.outputs_for(batch, noise)  # (n, d)
        vectors, weights = rows.inputs_of(batch) * mask, self._weights[batch]  # (b, d), (b,)
        exponentials, maxima, scores = self._score(batch, noise, vectors, outputs)
        sums = exponentials.sum(axis=1)
        pulls = exponentials @ outputs[noise]  # (b, d)
        used = pull_pairs(
            batch,
            pairs.starts,
            pairs.columns,
            pairs.shares,
            weights,
            vectors,
            outputs,
            scores,
            maxima,
            sums,
            pulls,
            self._slots,
            self._touched,
            self._output_pulls,
        )
        pulls *= mask
        exponentials *= (weights / sums)[:, None]
        used = pull_noise(
            noise,
            exponentials.T @ vectors,
            used,
            self._slots,
            self._touched,
            self._output_pulls,
        )
        touched = self._touched[:used]
        rows.step_outputs(touched, self._output_pulls[:used], rate)
        rows.step_inputs(batch, pulls, weights, rate)
        self._slots[touched] = UNTOUCHED

    def _score(
        self,
        batch: NDArray[np.int64],
        noise: NDArray[np.int64],
        vectors: FloatMatrix,
        outputs: FloatMatrix,
    ) -> tuple[FloatMatrix, FloatVector, FloatVector]:
        """Return exp(score - maximum) of the noise (b, s), the maxima (b,) and scores of pairs."""
        pairs = self._pairs
        exponentials = vectors @ outputs[noise].T - self._log_expected[noise]  # (b, s)
        maxima = exponentials.max(axis=1)
        lengths = pairs.starts[batch + 1] - pairs.starts[batch]
        scores = np.empty(int(lengths.sum()), dtype=np.float32)
        score_pairs(batch, pairs.starts, pairs.columns, vectors, outputs, scores, maxima)
        exponentials -= maxima[:, None]
        np.exp(exponentials, out=exponentials)
        return exponentials, maxima, scores


def _weights(totals: FloatVector, items: NDArray[np.int64], exponent: float) -> FloatVector:
    mean = totals[items].mean() if len(items) else 1.0
    weights: FloatVector = ((totals / mean) ** exponent).astype(np.float32)
    return weights
