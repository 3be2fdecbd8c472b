"""Sampled softmax where the vector of a row is the sum of its own and of those of its parts."""

from dataclasses import dataclass

import numpy as np

from artifacts.arrays import FloatMatrix, FloatVector
from artifacts.progress import Progress
from artifacts.ragged import Ragged
from trainer.checkpoints import Checkpoints
from trainer.composition_kernels import add_parts, near_rows, pull_parts
from trainer.config import Prod2VecConfig
from trainer.pair_counts import PairCounts
from trainer.softmax import run_epochs
from trainer.softmax_kernels import UNTOUCHED, adagrad
from trainer.softmax_model import Places, SoftmaxModel

PART_PREFIX = "part_"
PART_STREAM = 1
"""Parts are drawn apart from rows, so that none begins as the twin of one."""


@dataclass(frozen=True, slots=True)
class Composition:
    """What rows have in common.

    Attributes:
        parts: n lists of part numbers, any of which may be empty.
        shares: float32, parallel to the values of `parts`: how much of a part is in the row.
        count: m, the number of parts.
        prior: (n,) float32, penalty on the squared own input vector of a row: the surer it is that
            the row is like its parts, the greater.
    """

    parts: Ragged
    shares: FloatVector
    count: int
    prior: FloatVector

    def add(self, rows: Places, parts: FloatMatrix, lines: Places, sums: FloatMatrix) -> None:
        """Add what `rows` are made of, of the vectors `parts` (m, d), to the `lines` of `sums`."""
        lists = self.parts
        add_parts(rows, lists.offsets, lists.values, self.shares, parts, lines, sums)


@dataclass(frozen=True, slots=True)
class ComposedModel:
    """What is learnt.

    Attributes:
        own: of the n rows, what tells each from others with the same parts.
        parts: of the m parts.
        composition: which parts a row has.
    """

    own: SoftmaxModel
    parts: SoftmaxModel
    composition: Composition

    def matrices(self, shares: FloatVector) -> tuple[FloatMatrix, FloatMatrix]:
        """Return (n, d) input and output vectors: (n,) `shares` of the own ones, and the parts."""
        return (
            self._sum(self.own.vectors, self.parts.vectors, shares),
            self._sum(self.own.outputs, self.parts.outputs, shares),
        )

    def _sum(self, own: FloatMatrix, parts: FloatMatrix, shares: FloatVector) -> FloatMatrix:
        sums = own * shares[:, np.newaxis]
        rows = np.arange(len(own))
        self.composition.add(rows, parts, rows, sums)
        return sums


def train_composed(
    pairs: PairCounts,
    composition: Composition,
    config: Prod2VecConfig,
    *,
    checkpoints: Checkpoints | None,
    progress: Progress,
) -> ComposedModel:
    """Learn as `train_softmax` does, with vectors that are sums (Bojanowski et al. 2017).

    Own vectors and parts step against the same gradients. A part is shared, so it learns from all
    rows that have it, each weighing what it weighs in the loss; a row that is seldom seen adds
    little to its parts, and the less, the greater its prior.

    Args:
        pairs: of n rows.
        composition: of the same rows.
        config: every knob; it has a table `softmax`.
        checkpoints: where the state is kept; None keeps none.
        progress: gets one step an epoch, those of the checkpoint included.

    Cost: as `train_softmax`, and O(epochs * (n + pairs) * parts of a row * d).
    """
    seed, dimensions = config.seed, config.dimensions
    own = SoftmaxModel.untrained(len(pairs), dimensions, seed)
    parts = SoftmaxModel.untrained(composition.count, dimensions, [seed, PART_STREAM])
    model = ComposedModel(own, parts, composition)
    assert config.softmax is not None, "bug: softmax without its settings"
    rows = ComposedRows(model, pairs, config.softmax.decay)
    run_epochs(pairs, rows, config, checkpoints=checkpoints, progress=progress)
    return model


class ComposedRows:
    """The rows of a composed model, as the passes over the pairs see them."""

    def __init__(self, model: ComposedModel, pairs: PairCounts, decay: float) -> None:
        self._model, self._pairs, self._decay = model, pairs, decay
        self._outputs = np.empty_like(model.own.outputs)
        self._stamps = np.full(len(pairs), UNTOUCHED, dtype=np.int64)
        self._stamp = 0
        self._found = np.empty(len(pairs), dtype=np.int64)
        self._slots = np.full(model.composition.count, UNTOUCHED, dtype=np.int64)
        self._touched = np.empty(model.composition.count, dtype=np.int64)
        self._part_pulls = np.empty_like(model.parts.vectors)

    @property
    def arrays(self) -> dict[str, FloatMatrix]:
        """State of rows and parts by name."""
        parts = self._model.parts.arrays
        return self._model.own.arrays | {PART_PREFIX + name: parts[name] for name in parts}

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        items, dimensions = self._model.own.vectors.shape
        return items, dimensions

    def inputs_of(self, batch: Places) -> FloatMatrix:
        """Return the (b, d) input vectors of a batch."""
        sums = self._model.own.vectors[batch]
        lines = np.arange(len(batch))
        self._model.composition.add(batch, self._model.parts.vectors, lines, sums)
        return sums

    def outputs_for(self, batch: Places, noise: Places) -> FloatMatrix:
        """Compose the outputs that the batch needs; the other lines are of earlier batches."""
        pairs = self._pairs
        self._stamp += 1
        size = near_rows(
            batch, noise, pairs.starts, pairs.columns, self._stamps, self._stamp, self._found
        )
        rows = self._found[:size]
        self._outputs[rows] = self._model.own.outputs[rows]
        self._model.composition.add(rows, self._model.parts.outputs, rows, self._outputs)
        return self._outputs

    def step_inputs(
        self, batch: Places, pulls: FloatMatrix, weights: FloatVector, rate: float
    ) -> None:
        """Step own input vectors, which the prior holds back, and those of parts."""
        own, parts = self._model.own, self._model.parts
        used = self._pull(batch, pulls, weights)
        held = pulls + self._model.composition.prior[batch, np.newaxis] * own.vectors[batch]
        adagrad(own.vectors, own.vector_squares, batch, held, rate, self._decay)
        self._step_parts(parts.vectors, parts.vector_squares, used, rate)

    def step_outputs(self, touched: Places, pulls: FloatMatrix, rate: float) -> None:
        """Step own output vectors and those of parts."""
        own, parts = self._model.own, self._model.parts
        used = self._pull(touched, pulls, np.ones(len(touched), dtype=np.float32))
        adagrad(own.outputs, own.output_squares, touched, pulls, rate, self._decay)
        self._step_parts(parts.outputs, parts.output_squares, used, rate)

    def _pull(self, rows: Places, pulls: FloatMatrix, weights: FloatVector) -> int:
        lists, shares = self._model.composition.parts, self._model.composition.shares
        used: int = pull_parts(
            rows,
            pulls,
            weights,
            lists.offsets,
            lists.values,
            shares,
            self._slots,
            self._touched,
            self._part_pulls,
        )
        return used

    def _step_parts(
        self, vectors: FloatMatrix, squares: FloatMatrix, used: int, rate: float
    ) -> None:
        touched = self._touched[:used]
        adagrad(vectors, squares, touched, self._part_pulls, rate, self._decay)
        self._slots[touched] = UNTOUCHED
