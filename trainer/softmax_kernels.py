"""Compiled parts of the sampled softmax: what is sparse about a batch."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntVector

Places = NDArray[np.int64]

# Sums may be reordered, which lets them run in vector registers; NaN and infinity keep their meaning.
FAST = {"reassoc", "contract"}
UNTOUCHED = -1


@njit(nogil=True, cache=True, fastmath=FAST)
def score_pairs(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - arrays in, arrays out
    batch: Places,
    starts: Places,
    columns: IntVector,
    vectors: FloatMatrix,
    outputs: FloatMatrix,
    scores: FloatVector,
    maxima: FloatVector,
):
    """Write the score of every pair of the batch, and raise `maxima` (b,) to the best of each item.

    `scores` holds the pairs of the batch end to end.
    """
    place = 0
    for i in range(len(batch)):
        item = batch[i]
        for pair in range(starts[item], starts[item + 1]):
            score = np.float32(0)
            for j in range(vectors.shape[1]):
                score += vectors[i, j] * outputs[columns[pair], j]
            scores[place] = score
            maxima[i] = max(maxima[i], score)
            place += 1


@njit(nogil=True, cache=True, fastmath=FAST)
def pull_pairs(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - arrays in, arrays out
    batch: Places,
    starts: Places,
    columns: IntVector,
    shares: FloatVector,
    weights: FloatVector,
    vectors: FloatMatrix,
    outputs: FloatMatrix,
    scores: FloatVector,
    maxima: FloatVector,
    sums: FloatVector,
    pulls: FloatMatrix,
    slots: Places,
    touched: Places,
    output_pulls: FloatMatrix,
):
    """Finish the softmax of each item over its own pairs and add their gradients.

    Args:
        batch: (b,) items.
        starts: see `PairCounts`.
        columns: see `PairCounts`.
        shares: see `PairCounts`.
        weights: (b,) of the items.
        vectors: (b, d) of the items.
        outputs: (n, d).
        scores: of the pairs, end to end; overwritten.
        maxima: (b,) best score of each item, over noise and pairs.
        sums: (b,) of exp(score - maximum) over the noise; becomes the sum over all.
        pulls: (b, d) gradients of the vectors, of the noise and not yet divided by the sum.
        slots: (n,) where an output's gradient stands, -1 for nowhere.
        touched: (n,) which output a slot belongs to.
        output_pulls: (n, d) gradients of the outputs, by slot.

    Returns:
        the number of slots taken.
    """
    used = 0
    place = 0
    for i in range(len(batch)):
        item = batch[i]
        first = place
        for _ in range(starts[item], starts[item + 1]):
            scores[place] = np.exp(scores[place] - maxima[i])
            sums[i] += scores[place]
            place += 1
        for j in range(vectors.shape[1]):
            pulls[i, j] /= sums[i]
        for pair in range(starts[item], starts[item + 1]):
            column = columns[pair]
            pull = scores[first] / sums[i] - shares[pair]
            first += 1
            if slots[column] == UNTOUCHED:
                slots[column] = used
                touched[used] = column
                output_pulls[used] = 0
                used += 1
            slot = slots[column]
            weighted = pull * weights[i]
            for j in range(vectors.shape[1]):
                pulls[i, j] += pull * outputs[column, j]
                output_pulls[slot, j] += weighted * vectors[i, j]
    return used


@njit(nogil=True, cache=True, fastmath=FAST)
def pull_noise(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - arrays in, arrays out
    noise: Places,
    noise_pulls: FloatMatrix,
    used: int,
    slots: Places,
    touched: Places,
    output_pulls: FloatMatrix,
):
    """Add the gradients (s, d) of drawn outputs, one of which may be drawn twice; return the slots."""
    for i in range(len(noise)):
        column = noise[i]
        if slots[column] == UNTOUCHED:
            slots[column] = used
            touched[used] = column
            output_pulls[used] = 0
            used += 1
        for j in range(output_pulls.shape[1]):
            output_pulls[slots[column], j] += noise_pulls[i, j]
    return used


@njit(nogil=True, cache=True, fastmath=FAST)
def adagrad(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - arrays in, arrays out
    matrix: FloatMatrix,
    squares: FloatMatrix,
    rows: Places,
    pulls: FloatMatrix,
    rate: float,
    decay: float,
):
    """Step the `rows` of `matrix` against their gradients (Duchi et al. 2011, diagonal form)."""
    for i in range(len(rows)):
        row = rows[i]
        for j in range(matrix.shape[1]):
            pull = pulls[i, j] + decay * matrix[row, j]
            squares[row, j] += pull * pull
            matrix[row, j] -= rate * pull / np.sqrt(squares[row, j])
