"""What a SimHash index reads before it scores: rows sorted into buckets, and their codes."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from indexer.augmentation import augment_vectors, longest_length
from indexer.backends.simhash_planes import BitMatrix, random_frame, sign_bits
from indexer.config import SimHashBuild
from indexer.vector_instructions import BLOCK_ROWS, CHUNK_BYTES

ByteArray: TypeAlias = NDArray[np.uint8]
RoughMatrix: TypeAlias = NDArray[np.int8]

ROWS_PER_STEP = 1 << 14
BUCKET_ROWS = 48
"""Rows of an average bucket, at least, and at most twice as many: some blocks, so that finding the
bucket pays. Half as many where there are several tables: their codes come from memory, and the
fewer rows of smaller buckets are worth more than the time to find them."""
ROWS_PER_TABLE = 600_000
"""Rows for which one table pays: at 1 million one is best, at 2.5 million four, at 10 million 16."""
MOST_TABLES = 16


class SimHashTables(NamedTuple):
    """The arrays of an index; a tuple, because kernels take it as it is.

    Attributes:
        planes: (t b + bits, d') float32: b planes for the buckets of each table, then the planes of
            the codes. d' is d for cosine, d + 1 where inner products are reduced to angles.
        centre: (d',) float32 mean of the vectors; signs are taken about it, since planes through
            the origin tell vectors that share a direction apart by few bits only.
        offsets: (t, 2^b + 1) int32: bucket i of a table holds the blocks offsets[i] ..
            offsets[i + 1] - 1. The number of a bucket is b sign bits, the first one lowest.
        order: (16 m,) int32: row at each place of the m blocks; -1 behind the last one of a bucket.
        codes: (bits / 128, m, 16, 16) uint8: bits 128 c .. 128 c + 127 of 16 places, byte by byte.
        rough: (n, d) int8 copy of the vectors, in units of `step`.
        step: (1,) float32.
    """

    planes: FloatMatrix
    centre: FloatVector
    offsets: IntMatrix
    order: IntVector
    codes: ByteArray
    rough: RoughMatrix
    step: FloatVector


class Shape(NamedTuple):
    """How many of what an index is made of."""

    tables: int
    bucket_bits: int
    bits: int


def shape_for(n: int, build: SimHashBuild) -> Shape:
    """Return the shape of an index over n vectors."""
    tables = build.tables
    if tables == "auto":
        tables = int(np.clip(n // ROWS_PER_TABLE, 1, MOST_TABLES))
    rows = BUCKET_ROWS if tables == 1 else BUCKET_ROWS // 2
    return Shape(tables, max((n // rows).bit_length() - 1, 0), build.bits)


def check_tables(tables: SimHashTables, shape: Shape, n: int, dims: tuple[int, int]) -> str | None:
    """Return what is wrong with arrays from a file, or None.

    Args:
        tables: arrays that may be of any type and shape.
        shape: what they should be of.
        n: number of vectors.
        dims: d and d'.
    """
    blocks = tables.codes.shape[1] if tables.codes.ndim == 4 else 0
    chunks = shape.bits // (8 * CHUNK_BYTES)
    expected: dict[str, tuple[type, tuple[int, ...]]] = {
        "planes": (np.float32, (shape.tables * shape.bucket_bits + shape.bits, dims[1])),
        "centre": (np.float32, (dims[1],)),
        "offsets": (np.int32, (shape.tables, (1 << shape.bucket_bits) + 1)),
        "order": (np.int32, (blocks * BLOCK_ROWS,)),
        "codes": (np.uint8, (chunks, blocks, CHUNK_BYTES, BLOCK_ROWS)),
        "rough": (np.int8, (n, dims[0])),
        "step": (np.float32, (1,)),
    }
    for name, array in tables._asdict().items():
        kind, size = expected[name]
        if array.dtype != kind or array.shape != size or not array.flags.c_contiguous:
            wanted = f"{np.dtype(kind)} of {size}"
            return f"{name}.npy: expected {wanted}, got {array.dtype} of {array.shape}"
    if tables.offsets[-1, -1] != blocks:
        return f"offsets.npy: expected {blocks} blocks of codes, got {tables.offsets[-1, -1]}"
    return None


def build_tables(
    vectors: FloatMatrix, shape: Shape, rng: np.random.Generator, *, reduced: bool, threads: int
) -> SimHashTables:
    """Draw planes, take the signs of n vectors, and sort the rows into buckets.

    Args:
        vectors: (n, d) float32.
        shape: what to make.
        rng: draws the planes.
        reduced: whether inner products are reduced to angles.
        threads: blocks of vectors at work at once; the result does not depend on it.

    Cost: O(n d (t b + bits)), and bits / 8 bytes of memory a vector beside the result.
    """
    lift = longest_length(vectors) if reduced else None
    starts = range(0, len(vectors), ROWS_PER_STEP)

    def angular(start: int) -> FloatMatrix:
        block = vectors[start : start + ROWS_PER_STEP]
        return block if lift is None else augment_vectors(block, lift)

    with ThreadPoolExecutor(threads) as pool:
        sums = list(pool.map(lambda start: angular(start).sum(axis=0, dtype=np.float64), starts))
        centre = (np.sum(sums, axis=0) / len(vectors)).astype(np.float32)
        planes = _draw_planes(shape, len(centre), rng)
        signs = pool.map(lambda start: _packed(angular(start), centre, planes, shape), starts)
        buckets, codes = (np.concatenate(parts) for parts in zip(*signs, strict=True))
        rough, step = _rounded(vectors, pool)
    offsets, rows, ordered = _sorted_into_buckets(buckets, codes, shape)
    return SimHashTables(planes, centre, offsets, rows, ordered, rough, step)


def _draw_planes(shape: Shape, dim: int, rng: np.random.Generator) -> FloatMatrix:
    of_buckets = random_frame(shape.tables * shape.bucket_bits, dim, rng)
    return np.vstack([of_buckets, random_frame(shape.bits, dim, rng)])


def _packed(
    vectors: FloatMatrix, centre: FloatVector, planes: FloatMatrix, shape: Shape
) -> tuple[IntMatrix, ByteArray]:
    """Return (n, t) numbers of buckets and (n, bits / 8) codes."""
    bits = sign_bits(vectors, centre, planes)
    split = shape.tables * shape.bucket_bits
    numbers = _numbers(bits[:, :split].reshape(len(vectors), shape.tables, shape.bucket_bits))
    return numbers, np.packbits(bits[:, split:], axis=1, bitorder="little")


def _numbers(bits: BitMatrix) -> IntMatrix:
    powers = np.int32(1) << np.arange(bits.shape[-1], dtype=np.int32)
    numbers: IntMatrix = (bits * powers).sum(axis=-1, dtype=np.int32)
    return numbers


def _sorted_into_buckets(
    buckets: IntMatrix, codes: ByteArray, shape: Shape
) -> tuple[IntMatrix, IntVector, ByteArray]:
    """Give every bucket blocks of its own: no block is read for the sake of a few of its rows."""
    offsets = np.zeros((shape.tables, (1 << shape.bucket_bits) + 1), dtype=np.int32)
    parts = []
    for table in range(shape.tables):
        counts = np.bincount(buckets[:, table], minlength=1 << shape.bucket_bits)
        np.cumsum(-(-counts // BLOCK_ROWS), out=offsets[table, 1:])
        parts.append(_places(buckets[:, table], counts, offsets[table]))
        offsets[table] += offsets[table - 1, -1] if table else 0
    order = np.concatenate(parts)
    return offsets, order, _in_blocks(codes, order)


def _places(numbers: IntVector, counts: NDArray[np.intp], offsets: IntVector) -> IntVector:
    """Return the row at each place of the blocks of one table, -1 where there is none."""
    rows = np.argsort(numbers, kind="stable")
    shifts = BLOCK_ROWS * offsets[:-1] - (np.cumsum(counts) - counts)
    order = np.full(BLOCK_ROWS * int(offsets[-1]), -1, dtype=np.int32)
    order[np.arange(len(rows)) + np.repeat(shifts, counts)] = rows
    return order


def _in_blocks(codes: ByteArray, order: IntVector) -> ByteArray:
    blocks, chunks = len(order) // BLOCK_ROWS, codes.shape[1] // CHUNK_BYTES
    placed = np.empty((chunks, blocks, CHUNK_BYTES, BLOCK_ROWS), dtype=np.uint8)
    for start in range(0, blocks, ROWS_PER_STEP):
        rows = order[start * BLOCK_ROWS : (start + ROWS_PER_STEP) * BLOCK_ROWS]
        # Row -1 takes the last code: no reader looks at what stands there.
        part = codes[rows].reshape(-1, BLOCK_ROWS, chunks, CHUNK_BYTES)
        placed[:, start : start + ROWS_PER_STEP] = part.transpose(2, 0, 3, 1)
    return placed


def _rounded(vectors: FloatMatrix, pool: ThreadPoolExecutor) -> tuple[RoughMatrix, FloatVector]:
    starts = range(0, len(vectors), ROWS_PER_STEP)
    largest = max(
        pool.map(lambda start: float(np.abs(vectors[start : start + ROWS_PER_STEP]).max()), starts)
    )
    step = np.float32(largest / 127) if largest > 0 else np.float32(1)
    rough = np.empty(vectors.shape, dtype=np.int8)

    def round_block(start: int) -> None:
        block = slice(start, start + ROWS_PER_STEP)
        rough[block] = np.rint(vectors[block] / step)

    list(pool.map(round_block, starts))
    return rough, np.array([step], dtype=np.float32)
