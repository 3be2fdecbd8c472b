"""Sums of trees, for many rows at once."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntVector

ZERO = np.float32(1e-35)
"""LightGBM's `kZeroThreshold`: what is no further from zero is taken for zero."""

NAN_IS_ZERO, ZERO_IS_MISSING, NAN_IS_MISSING = 0, 1, 2
"""What a split takes for missing, as the model file numbers it."""


@njit(nogil=True, cache=True)
def fill_columns(
    features: FloatMatrix,
    sources: IntVector,
    missing: NDArray[np.int8],
    substitutes: FloatVector,
    columns: FloatMatrix,
) -> None:
    """Write the values that splits compare.

    Args:
        features: (n, f) float32.
        sources: (c,) column of `features` that each column is made from.
        missing: (c,) what is missing in it.
        substitutes: (c,) what stands for that.
        columns: (n, c) float32, written.
    """
    for row in range(len(features)):
        for column in range(len(sources)):
            value = features[row, sources[column]]
            kind = missing[column]
            if np.isnan(value):
                value = np.float32(0) if kind == NAN_IS_ZERO else substitutes[column]
            elif -ZERO <= value <= ZERO:
                value = substitutes[column] if kind == ZERO_IS_MISSING else np.float32(0)
            columns[row, column] = value


@njit(nogil=True, cache=True)
def add_trees(  # noqa: PLR0913 - kernels take arrays, not objects
    columns: FloatMatrix,
    looked_at: IntVector,
    thresholds: FloatVector,
    children: IntVector,
    outputs: NDArray[np.float64],
    roots: IntVector,
    depths: IntVector,
    scores: NDArray[np.float64],
) -> None:
    """Add the output of every tree to the score of every row.

    Trees are added in their order, as LightGBM adds them, so that sums agree to the last bit. All rows
    take a step before any takes the next one: their steps wait for no other row's, so that a
    processor has several of them under way; a row that has arrived at its leaf stays there. The side
    is computed rather than branched on, since no processor can guess it.

    Args:
        columns: (n, c) float32 of `fill_columns`.
        looked_at: (m,) column of each node.
        thresholds: (m,) float32; what is no larger goes left.
        children: (2 m,) left and right child of each node; a leaf's are the leaf itself.
        outputs: (m,) float64 of each leaf.
        roots: (t,) first node of each tree.
        depths: (t,) splits on the longest way to a leaf of each tree.
        scores: (n,) float64, added to.
    """
    n = len(columns)
    nodes = np.empty(n, dtype=np.int32)
    for tree in range(len(roots)):
        nodes[:] = roots[tree]
        for _ in range(depths[tree]):
            for row in range(n):
                node = nodes[row]
                right = not columns[row, looked_at[node]] <= thresholds[node]  # NaN goes right
                nodes[row] = children[2 * node + right]
        for row in range(n):
            scores[row] += outputs[nodes[row]]
