"""fastText's subwords, hashed: the compiled half of `retrieval.content_encoder`."""

import numba
import numpy as np
from numpy.typing import NDArray

FNV_OFFSET = np.uint32(2_166_136_261)
FNV_PRIME = np.uint32(16_777_619)
SIGN_BITS = np.uint32(0xFFFFFF00)


@numba.njit(cache=True, nogil=True)
def subword_buckets(
    word: NDArray[np.uint8], min_n: int, max_n: int, buckets: int
) -> NDArray[np.int64]:
    """Return the bucket of every subword of a word, in fastText's order, repeats included.

    A subword is a run of `min_n` to `max_n` characters; the marks of begin and end count as
    characters but are no subwords themselves. The hash is FNV-1a of 32 bits over UTF-8 bytes which
    fastText reads as *signed*: a byte from 128 up sets the upper 24 bits as well, and models in
    the world depend on it.

    Args:
        word: UTF-8 of `<word>`, marks included.
        min_n: characters of the shortest subword, >= 1.
        max_n: characters of the longest subword.
        buckets: number of buckets.

    Cost: O(len(word) * max_n).   Reference: Bojanowski et al. 2017, section 3.2.
    """
    size = len(word)
    found = np.empty(size * max_n, dtype=np.int64)
    count = 0
    for start in range(size):
        if _continues(word[start]):
            continue
        hashed = FNV_OFFSET
        end = start
        for length in range(1, max_n + 1):
            if end == size:
                break
            hashed = _hash_byte(hashed, word[end])
            end += 1
            while end < size and _continues(word[end]):
                hashed = _hash_byte(hashed, word[end])
                end += 1
            lone_mark = length == 1 and (start == 0 or end == size)
            if length >= min_n and not lone_mark:
                found[count] = hashed % np.uint32(buckets)
                count += 1
    return found[:count]


@numba.njit(cache=True, nogil=True)
def _continues(byte: np.uint8) -> bool:
    """Tell whether a byte is inside a character of several bytes."""
    return bool((byte & 0xC0) == 0x80)


@numba.njit(cache=True, nogil=True)
def _hash_byte(hashed: np.uint32, byte: np.uint8) -> np.uint32:
    value = np.uint32(byte)
    if byte >= 128:
        value |= SIGN_BITS
    return np.uint32((hashed ^ value) * FNV_PRIME)
