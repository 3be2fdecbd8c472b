"""Random planes and the signs of vectors about them (Charikar 2002)."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix

BitMatrix: TypeAlias = NDArray[np.bool_]


def random_frame(count: int, dim: int, rng: np.random.Generator) -> FloatMatrix:
    """Return (count, dim) normals of random planes that crowd as little as they can.

    Cut from one random orthogonal matrix: up to `dim` planes are orthogonal, which estimates an
    angle with less variance than independent planes do (Ji et al. 2012, section 3); more of them
    form a tight frame, so that a projection onto all planes keeps every direction's share. RaBitQ
    pads vectors with zeros and rotates them to the same end (Gao and Long 2024, section 3.1).

    Cost: O(max(count, dim)^3).
    """
    size = max(count, dim)
    orthogonal, triangle = np.linalg.qr(rng.standard_normal((size, size)))
    # The signs make the matrix uniformly distributed (Mezzadri 2007, section 5).
    orthogonal *= np.sign(np.diagonal(triangle))
    return np.ascontiguousarray(orthogonal[:count, :dim], dtype=np.float32)


def sign_bits(vectors: FloatMatrix, centre: FloatMatrix, planes: FloatMatrix) -> BitMatrix:
    """Return (n, planes) bits: on which side of each plane through `centre` a vector lies."""
    return (vectors - centre) @ planes.T > 0
