"""The one vector that stands for a session."""

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector, unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.relation import Relation

LEAST_LENGTH = 1e-6
"""Length below which the visits cancel out, beside weights that add up to 1."""


def mean_vector(
    table: EmbeddingTable, rows: IntVector, weights: NDArray[np.float64], relation: Relation
) -> FloatVector | None:
    """Return the weighted mean of the input vectors of items.

    An inner product with the mean is the mean of the inner products, so that continuations rank as
    the lists of the items mixed by score would. For alternatives vectors count by direction alone,
    as cosines do.

    Args:
        table: the space.
        rows: (m,) int32 vocabulary rows; those without a vector are passed over.
        weights: (m,) of any sign; they count by size, so that -1 weighs as 1.
        relation: what is asked for.

    Returns:
        (d,) float32, or None where no item that is liked has a vector, or likes and dislikes cancel
        out: then there is nothing to search near to.

    Cost: O(m d).
    """
    positions = table.positions(rows)
    known = positions >= 0
    weights = weights[known]
    if not (weights > 0).any():
        return None
    vectors = np.asarray(table.vectors[positions[known]])  # (m, d)
    if relation is Relation.ALTERNATIVES:
        vectors = unit_rows(vectors)
    mean = (weights / np.abs(weights).sum()) @ vectors.astype(np.float64)
    length = float(np.linalg.norm(mean))
    return mean.astype(np.float32) if length > LEAST_LENGTH else None
