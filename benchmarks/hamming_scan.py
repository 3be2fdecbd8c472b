"""The plain way to search SimHash codes: a scan of all of them by Hamming distance.

What `indexer.backends.simhash` is measured against. Codes lie in columns: word w of all n codes is
contiguous, and a block's distances stay in the first-level cache between the steps that make, count
and compare them. The words are combined four at a time in one expression, because LLVM turns that
into vector population counts, and a loop over words inside the loop over codes into scalar ones.
"""

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntMatrix, IntVector
from indexer.rescoring_kernels import rank
from indexer.vector_instructions import population_count

Codes: TypeAlias = NDArray[np.uint64]

BLOCK = 2048
SAMPLE_BLOCKS = 8


def sign_codes(vectors: FloatMatrix, planes: FloatMatrix) -> Codes:
    """Return (n, bits / 64) uint64 codes: bit b of word w is the sign of plane 64 w + b."""
    signs = vectors @ planes.T > 0  # (n, bits)
    return np.packbits(signs, axis=1, bitorder="little").view(np.uint64)


@njit(nogil=True, cache=True)
def hamming_block(codes: Codes, query: Codes, start: int, out: NDArray[np.uint16]) -> None:
    """Write the Hamming distances of codes `start` .. `start + len(out)` into `out`.

    Args:
        codes: (w, n) uint64.
        query: (w,) uint64.
        start: first code.
        out: (b,) uint16, overwritten.
    """
    size = out.shape[0]
    words = codes.shape[0]
    out[:] = 0
    word = 0
    while word + 4 <= words:
        q0, q1, q2, q3 = query[word], query[word + 1], query[word + 2], query[word + 3]
        c0 = codes[word, start : start + size]
        c1 = codes[word + 1, start : start + size]
        c2 = codes[word + 2, start : start + size]
        c3 = codes[word + 3, start : start + size]
        for i in range(size):
            out[i] += (
                population_count(c0[i] ^ q0)
                + population_count(c1[i] ^ q1)
                + population_count(c2[i] ^ q2)
                + population_count(c3[i] ^ q3)
            )
        word += 4
    while word < words:
        q0 = query[word]
        c0 = codes[word, start : start + size]
        for i in range(size):
            out[i] += population_count(c0[i] ^ q0)
        word += 1


@njit(nogil=True, cache=True)
def least_distance(codes: Codes, query: Codes, start: int, end: int) -> Any:
    """Return the smallest Hamming distance of codes `start` .. `end - 1`, which stay unwritten.

    Args:
        codes: (4, n) uint64.
        query: (4,) uint64.
        start: first code.
        end: behind the last one.
    """
    q0, q1, q2, q3 = query[0], query[1], query[2], query[3]
    c0, c1, c2, c3 = (
        codes[0, start:end],
        codes[1, start:end],
        codes[2, start:end],
        codes[3, start:end],
    )
    least = np.uint64(257)
    for i in range(end - start):
        distance = (
            population_count(c0[i] ^ q0)
            + population_count(c1[i] ^ q1)
            + population_count(c2[i] ^ q2)
            + population_count(c3[i] ^ q3)
        )
        least = min(least, np.uint64(distance))
    return least


@njit(nogil=True, cache=True)
def hamming_scan(codes: Codes, query: Codes) -> int:
    """Find the first of the codes nearest to the query: the kernel alone, with no list to keep.

    Args:
        codes: (4, n) uint64, 256 bits each.
        query: (4,) uint64.
    """
    n = codes.shape[1]
    place, least = 0, np.uint64(257)
    for start in range(0, n, BLOCK):
        of_block = least_distance(codes, query, start, min(start + BLOCK, n))
        if of_block < least:
            place, least = start, of_block
    while least_distance(codes, query, place, place + 1) != least:
        place += 1
    return place


@njit(nogil=True, cache=True)
def radius(codes: Codes, query: Codes, wanted: int, distances: NDArray[np.uint16]) -> Any:
    """Estimate the Hamming radius that holds `wanted` of the n codes.

    Counts the distances of eight blocks spread evenly over the codes, or of all codes where that is
    no more: no sort, no heap.

    Args:
        codes: (w, n) uint64.
        query: (w,) uint64.
        wanted: codes to be held, 1 <= wanted <= n.
        distances: (BLOCK,) uint16 scratch.
    """
    n = codes.shape[1]
    histogram = np.zeros(64 * codes.shape[0] + 1, dtype=np.int64)
    whole = n <= SAMPLE_BLOCKS * BLOCK
    blocks = (n + BLOCK - 1) // BLOCK if whole else SAMPLE_BLOCKS
    sampled = 0
    for block in range(blocks):
        start = block * BLOCK if whole else (n - BLOCK) * block // (SAMPLE_BLOCKS - 1)
        size = min(BLOCK, n - start)
        hamming_block(codes, query, start, distances[:size])
        for i in range(size):
            histogram[distances[i]] += 1
        sampled += size
    share = np.ceil(wanted * sampled / n)
    total = 0
    for distance in range(histogram.shape[0]):
        total += histogram[distance]
        if total >= share:
            return distance
    return histogram.shape[0] - 1


@njit(nogil=True, cache=True)
def collect_within(
    codes: Codes, query: Codes, limit: int, distances: NDArray[np.uint16], out: IntVector
) -> int:
    """Write the rows of all codes within Hamming distance `limit`, ascending; return how many.

    Args:
        codes: (w, n) uint64.
        query: (w,) uint64.
        limit: largest distance kept.
        distances: (BLOCK,) uint16 scratch.
        out: (n + 1,) int32, overwritten from the front.
    """
    n = codes.shape[1]
    count = 0
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        hamming_block(codes, query, start, distances[:size])
        for i in range(size):
            # Written always and kept by the count: no branch to mispredict.
            out[count] = start + i
            count += distances[i] <= limit
    return count


@njit(nogil=True, cache=True)
def search_codes(  # noqa: PLR0913 - kernels take arrays, not objects
    codes: Codes,
    query_codes: Codes,
    vectors: FloatMatrix,
    queries: FloatMatrix,
    wanted: int,
    ceiling: float,
    out_rows: IntMatrix,
    out_scores: FloatMatrix,
) -> None:
    """Score the codes nearest to each query exactly and write the best.

    Args:
        codes: (w, n) uint64.
        query_codes: (q, w) uint64.
        vectors: (n, d) float32.
        queries: (q, d) float32.
        wanted: about how many codes are scored exactly; never fewer than min(k, n).
        ceiling: as in `indexer.rescoring_kernels.rank`.
        out_rows: (q, k) int32, overwritten.
        out_scores: (q, k) float32, overwritten.
    """
    n = codes.shape[1]
    bits = 64 * codes.shape[0]
    needed = min(out_rows.shape[1], n)
    distances = np.empty(BLOCK, dtype=np.uint16)
    rows = np.empty(n + 1, dtype=np.int32)
    for i in range(queries.shape[0]):
        limit = bits if wanted >= n else radius(codes, query_codes[i], wanted, distances)
        count = collect_within(codes, query_codes[i], limit, distances, rows)
        while count < needed:  # the sample promised more codes than there are
            limit += bits // 32
            count = collect_within(codes, query_codes[i], limit, distances, rows)
        rank(vectors, queries[i], rows[:count], ceiling, out_rows[i], out_scores[i])
