"""The matrices of one or several models of the same sessions, as the two matrices of one space."""

from collections.abc import Sequence

import numpy as np

from artifacts.arrays import FloatMatrix, unit_rows
from trainer.softmax_config import SoftmaxConfig

Matrices = tuple[FloatMatrix, FloatMatrix]
"""(n, d) float32 input and output vectors."""


def joined_vectors(models: Sequence[Matrices], settings: SoftmaxConfig) -> Matrices:
    """Put vectors end to end, so that an inner product is the mean score of the models.

    The score of one model is u_a . w_b + both_ways * w_a . u_b + likeness * cos(u_a, u_b): what
    comes next, the same asked the other way round, and what is interchangeable. Models that differ
    by their seeds alone err independently where pairs are few, and the mean errs less (Breiman
    1996).

    Args:
        models: at least one, all of them with rows for the same n items.
        settings: `both_ways` and `likeness`.

    Returns:
        input and output vectors, both (n, models * parts * d), where parts is 1 and one more for
        each of the two settings that is not 0.
    """
    share = np.float32(1 / np.sqrt(len(models)))
    sides = [_sides(vectors, outputs, settings) for vectors, outputs in models]
    asking, asked = (np.hstack([one[side] for one in sides]) * share for side in (0, 1))
    return asking, asked


def _sides(vectors: FloatMatrix, outputs: FloatMatrix, settings: SoftmaxConfig) -> Matrices:
    asking, asked = [vectors], [outputs]
    if settings.both_ways:
        root = np.float32(np.sqrt(settings.both_ways))
        asking.append(outputs * root)
        asked.append(vectors * root)
    if settings.likeness:
        alike = unit_rows(vectors) * np.float32(np.sqrt(settings.likeness))
        asking.append(alike)
        asked.append(alike)
    return np.hstack(asking), np.hstack(asked)
