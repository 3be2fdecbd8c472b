"""Names for what an index or a snapshot is made from; equal names stand for equal results."""

from importlib.metadata import version

import numpy as np
import xxhash

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.manifest import Json, fingerprint
from indexer.header import INDEX_FORMAT

SHAPING_LIBRARIES = ("annoy", "faiss-cpu", "numba", "numpy")
"""Distributions whose releases change what a build writes."""

REVISION = 2
"""Raised whenever the same vectors and settings give other files than before."""

BLOCK = 1 << 16
"""Lines read at a time."""


def library_versions() -> dict[str, str]:
    """Return the installed releases of `SHAPING_LIBRARIES`."""
    return {name: version(name) for name in SHAPING_LIBRARIES}


def release() -> Json:
    """Return everything that shapes a result beside its inputs and settings."""
    return {"revision": REVISION, "index_format": INDEX_FORMAT, "libraries": library_versions()}


def index_fingerprint(recipe: Json, positions: IntVector, *matrices: FloatMatrix) -> str:
    """Return a 32-digit hexadecimal name for settings and some lines of each matrix, in order.

    Args:
        recipe: the settings that count.
        positions: (m,) lines that are taken.
        matrices: (n, d) float32 each.

    Cost: one pass over the lines at some GB/s; memory for a block of them.
    """
    digest = xxhash.xxh3_128(fingerprint([release(), recipe]).encode())
    for matrix in matrices:
        digest.update(f"{len(positions)} x {matrix.shape[1]}".encode())
        for start in range(0, len(positions), BLOCK):
            lines = np.ascontiguousarray(matrix[positions[start : start + BLOCK]])
            digest.update(lines.tobytes())
    return digest.hexdigest()
