"""A small SimHash index, and what its kernels should find, plane by plane."""

import numpy as np

from artifacts.arrays import FloatVector
from indexer.backends.simhash_tables import Shape, SimHashTables, build_tables
from tests.clusters import clustered

N, DIM = 5000, 20
SHAPE = Shape(tables=2, bucket_bits=9, bits=128)


def made_tables() -> SimHashTables:
    """Return an index over `clustered(N, DIM)`, read-only as a loaded one is."""
    rng = np.random.default_rng(1)
    made = build_tables(clustered(N, DIM), SHAPE, rng, reduced=False, threads=1)
    for array in made:
        array.setflags(write=False)
    return made


def made_query() -> FloatVector:
    """Return a query near some of the vectors."""
    return clustered(1, DIM, seed=2)[0]


def marks_twin(tables: SimHashTables, query: FloatVector) -> FloatVector:
    """Return how far the query lies from each plane."""
    marks: FloatVector = tables.planes @ (query / np.float32(np.linalg.norm(query)) - tables.centre)
    return marks


def parted(value: int, marks: FloatVector) -> float:
    """Sum of the distances of the planes that part a value's bits from the query."""
    return float(sum(abs(m) for i, m in enumerate(marks) if (m > 0) != bool(value >> i & 1)))
