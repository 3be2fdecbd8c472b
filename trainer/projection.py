"""Take features to fewer dimensions by an affine map: principal components, or a learned layer."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, map_array, unit_rows
from artifacts.errors import DataError

COMPONENTS_NAME = "components.npy"
OFFSET_NAME = "offset.npy"


@dataclass(frozen=True, slots=True)
class Projection:
    """Maps features of length f to unit vectors of length d.

    Attributes:
        components: (f, d) float32.
        offset: (d,) float32.
    """

    components: FloatMatrix
    offset: FloatVector

    def apply(self, features: FloatMatrix) -> FloatMatrix:
        """Return (n, d) unit rows for (n, f) features of any length; zero stays zero."""
        return unit_rows(unit_rows(features) @ self.components + self.offset)

    def save(self, folder: Path) -> None:
        """Write both arrays into `folder`."""
        np.save(folder / COMPONENTS_NAME, self.components)
        np.save(folder / OFFSET_NAME, self.offset)

    @classmethod
    def open(cls, folder: Path) -> "Projection":
        """Map what `save` wrote.

        Raises:
            ArtifactError: a file is missing or damaged.
        """
        return cls(map_array(folder / COMPONENTS_NAME), map_array(folder / OFFSET_NAME))


def principal_components(blocks: Iterable[FloatMatrix], dimensions: int) -> Projection:
    """Fit the projection on the `dimensions` directions in which unit features vary most, whitened.

    Features are scaled to unit length first, as they are compared by cosine; centred, as what all
    pictures share tells none apart; and whitened, as the few strongest directions, light and
    background, would drown the rest (Jegou and Chum 2012, "Negative evidences and co-occurrences in
    image retrieval: the benefit of PCA and whitening"). We depart from the paper by adding the mean
    variance to every variance before the division: where pictures are few, the weak directions are
    noise, and from no more pictures than dimensions all would lie equally far apart. Directions of
    no variance are left out, so that there may be fewer.

    Args:
        blocks: (m, f) features, block by block; n rows in all.
        dimensions: d at most.

    Returns:
        a projection whose components have length 1 on average.

    Raises:
        DataError: there is no row.

    Cost: O(n f^2 + f^3) in float64; memory f^2.
    """
    count, mean, covariance = _moments(blocks)
    variances, directions = np.linalg.eigh(covariance)  # ascending
    variances, directions = variances[::-1], directions[:, ::-1]
    kept = _kept(variances, min(dimensions, count))
    if not kept:
        # One picture, or all alike: nothing varies, so the mean itself is the only direction.
        return _affine(mean[:, None], np.zeros_like(mean))
    ridge = np.maximum(variances, 0).sum() / min(count - 1, len(variances))
    whitened = directions[:, :kept] / np.sqrt(variances[:kept] + ridge)
    return _affine(whitened * np.sqrt(kept / np.square(whitened).sum()), mean)


def _moments(
    blocks: Iterable[FloatMatrix],
) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Return the number of rows, their mean (f,) and their covariance (f, f) at unit length."""
    count, total, products = 0, np.zeros(0), np.zeros((0, 0))
    for block in blocks:
        unit = unit_rows(block).astype(np.float64)
        if not count:
            total, products = np.zeros(unit.shape[1]), np.zeros((unit.shape[1], unit.shape[1]))
        count += len(unit)
        total += unit.sum(axis=0)
        products += unit.T @ unit
    if not count:
        raise DataError("principal components: expected at least one row of features, got none")
    mean = total / count
    return count, mean, products / count - np.outer(mean, mean)


def _kept(variances: NDArray[np.float64], limit: int) -> int:
    # What rounding leaves of a zero variance is a multiple of the largest one's precision.
    floor = max(variances[0], 0) * len(variances) * np.finfo(np.float64).eps
    return int(np.count_nonzero(variances[:limit] > max(floor, 1e-12)))


def _affine(directions: NDArray[np.float64], mean: NDArray[np.float64]) -> Projection:
    # An eigenvector's sign is arbitrary: its largest entry is made positive, so that runs agree.
    largest = np.abs(directions).argmax(axis=0)
    signs = np.sign(directions[largest, np.arange(directions.shape[1])])
    oriented = directions * np.where(signs == 0, 1, signs)
    return Projection(
        components=np.ascontiguousarray(oriented, dtype=np.float32),
        offset=(-mean @ oriented).astype(np.float32),
    )
