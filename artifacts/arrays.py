"""Array types and the one gate through which arrays of vectors enter shelfmate.

Letters used for shapes everywhere: n items, d dimensions, q queries, k neighbours, v vocabulary.
"""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from artifacts.errors import ArtifactError, DataError

FloatMatrix: TypeAlias = NDArray[np.float32]
FloatVector: TypeAlias = NDArray[np.float32]
IntMatrix: TypeAlias = NDArray[np.int32]
IntVector: TypeAlias = NDArray[np.int32]


def check_matrix(array: NDArray[Any], *, name: str, dim: int | None = None) -> FloatMatrix:
    """Return `array` if it is a finite, C-contiguous float32 matrix.

    Args:
        array: candidate (n, d) matrix; never copied, never changed.
        name: what the array is, for the message.
        dim: required d, where it is known.

    Raises:
        DataError: wrong type, rank, memory order, width, or a row that is not finite (its number
            is in the message).

    Cost: one pass over the array.
    """
    expected = f"{name}: expected a C-contiguous float32 matrix"
    if array.ndim != 2:
        raise DataError(f"{expected}, got {array.ndim} dimension(s) with shape {array.shape}")
    if array.dtype != np.float32:
        raise DataError(f"{expected}, got {array.dtype}; convert it with .astype('float32')")
    if not array.flags.c_contiguous:
        raise DataError(f"{expected}, got a strided or transposed view of shape {array.shape}")
    if dim is not None and array.shape[1] != dim:
        raise DataError(f"{name}: expected {dim} dimensions, got {array.shape[1]}")
    # A sum is NaN or infinite whenever an element is, so the usual case needs no mask of n x d.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = ~np.isfinite(array.sum(axis=1, dtype=np.float64))
    if suspicious.any():
        row = int(np.flatnonzero(suspicious)[0])
        raise DataError(
            f"{name}: expected finite numbers, got NaN or infinity in {int(suspicious.sum())} "
            f"row(s), the first is row {row}"
        )
    return array


def map_array(path: Path) -> NDArray[Any]:
    """Map the array of a `.npy` file, read-only; nothing is read until it is asked for.

    Raises:
        ArtifactError: the file is missing, or is not an array.
    """
    try:
        mapped: NDArray[Any] = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:  # EOFError: the file is empty
        raise ArtifactError(f"{path}: cannot be mapped as an array: {error}") from error
    return mapped


def unit_rows(matrix: FloatMatrix) -> FloatMatrix:
    """Return a copy of `matrix` (n, d) with every row scaled to length 1; zero rows stay zero."""
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)  # (n, 1)
    return np.ascontiguousarray(matrix / np.where(norms > 0, norms, 1), dtype=np.float32)
