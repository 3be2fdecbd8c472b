"""Compiled parts of composed rows: sums of parts, and what they leave of a gradient."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntVector
from trainer.softmax_kernels import FAST, UNTOUCHED

Places = NDArray[np.int64]


@njit(nogil=True, cache=True)
def near_rows(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - arrays in, arrays out
    batch: Places,
    noise: Places,
    starts: Places,
    columns: IntVector,
    stamps: Places,
    stamp: int,
    found: Places,
):
    """Write the rows of `noise` and of all pairs of `batch`, each once; return how many.

    Args:
        batch: (b,) rows.
        noise: (s,) rows.
        starts: see `PairCounts`.
        columns: see `PairCounts`.
        stamps: (n,) numbers of the calls in which a row was met last.
        stamp: number of this call.
        found: (n,) int64 to write to.
    """
    size = 0
    for row in noise:
        if stamps[row] != stamp:
            stamps[row] = stamp
            found[size] = row
            size += 1
    for row in batch:
        for pair in range(starts[row], starts[row + 1]):
            column = columns[pair]
            if stamps[column] != stamp:
                stamps[column] = stamp
                found[size] = column
                size += 1
    return size


@njit(nogil=True, cache=True, fastmath=FAST)
def add_parts(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - arrays in, arrays out
    rows: Places,
    starts: Places,
    parts: IntVector,
    shares: FloatVector,
    part_vectors: FloatMatrix,
    lines: Places,
    sums: FloatMatrix,
):
    """Add the vectors of the parts of `rows[i]`, times their shares, to line `lines[i]` of `sums`."""
    for i in range(len(rows)):
        for place in range(starts[rows[i]], starts[rows[i] + 1]):
            for j in range(sums.shape[1]):
                sums[lines[i], j] += shares[place] * part_vectors[parts[place], j]


@njit(nogil=True, cache=True, fastmath=FAST)
def pull_parts(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - arrays in, arrays out
    rows: Places,
    pulls: FloatMatrix,
    weights: FloatVector,
    starts: Places,
    parts: IntVector,
    shares: FloatVector,
    slots: Places,
    touched: Places,
    part_pulls: FloatMatrix,
):
    """Sum the gradients of rows into those of their parts; return how many parts are touched.

    Args:
        rows: (r,) rows.
        pulls: (r, d) gradients of their vectors.
        weights: (r,) how much each of them counts.
        starts: (n + 1,) where the parts of a row stand.
        parts: part numbers.
        shares: parallel to `parts`, how much of a part is in the row.
        slots: (m,) where the gradient of a part stands, -1 for nowhere.
        touched: (m,) which part a slot belongs to.
        part_pulls: (m, d) gradients of the parts, by slot.
    """
    used = 0
    for i in range(len(rows)):
        for place in range(starts[rows[i]], starts[rows[i] + 1]):
            part = parts[place]
            if slots[part] == UNTOUCHED:
                slots[part] = used
                touched[used] = part
                part_pulls[used] = 0
                used += 1
            weighted = weights[i] * shares[place]
            for j in range(pulls.shape[1]):
                part_pulls[slots[part], j] += weighted * pulls[i, j]
    return used
