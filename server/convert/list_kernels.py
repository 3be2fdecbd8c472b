"""Plain answers as bytes of the wire, without a message object for each item."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]

# Tags of `shelfmate.v1`: field number << 3 | wire type. All are below 16, so a tag is one byte.
OUTCOMES = 0x12
RECOMMENDATIONS = 0x0A
ITEMS = 0x0A
ITEM_ID = 0x0A
SCORE = 0x15
SCORE_KIND = 0x18
SOURCE = 0x20


@njit(nogil=True, cache=True)
def write_lists(
    text: tuple[Offsets, Bytes],
    rows: NDArray[np.int32],
    score_bits: NDArray[np.uint32],
    starts: Offsets,
    kinds: tuple[Bytes, Bytes],
) -> tuple[Bytes, Offsets]:
    """Write the field `outcomes` of a response, one for each list.

    As in any encoding of proto3 a score of zero is left out; kinds and sources are never zero.

    Args:
        text: (rows + 1,) offsets of the ids of the vocabulary, and their bytes.
        rows: (n,) of all lists, one after the other.
        score_bits: (n,) the float32 scores, bit by bit.
        starts: (lists + 1,) where each list begins; the last one is n.
        kinds: (lists,) enumeration values of the wire, of scores and of sources, below 128.

    Returns:
        The bytes, and where each outcome ends, (lists,).

    Cost: O(bytes), in two passes.
    """
    offsets, data = text
    lists = len(starts) - 1
    sizes, ends = np.empty(lists, np.int64), np.empty(lists, np.int64)
    total = 0
    for number in range(lists):
        size = 0
        for at in range(starts[number], starts[number + 1]):
            size += _framed(_item_size(offsets, rows[at], score_bits[at]))
        sizes[number] = size
        total += _framed(_framed(size))
        ends[number] = total
    out = np.empty(total, np.uint8)
    place = 0
    for number in range(lists):
        place = _head(out, place, OUTCOMES, _framed(sizes[number]))
        place = _head(out, place, RECOMMENDATIONS, sizes[number])
        for at in range(starts[number], starts[number + 1]):
            row, bits = rows[at], score_bits[at]
            place = _head(out, place, ITEMS, _item_size(offsets, row, bits))
            start, end = offsets[row], offsets[row + 1]
            place = _head(out, place, ITEM_ID, end - start)
            for byte in range(start, end):
                out[place] = data[byte]
                place += 1
            if bits:
                out[place] = SCORE
                for shift in range(4):
                    out[place + 1 + shift] = (bits >> (8 * shift)) & 0xFF
                place += 5
            out[place] = SCORE_KIND
            out[place + 1] = kinds[0][number]
            out[place + 2] = SOURCE
            out[place + 3] = kinds[1][number]
            place += 4
    return out, ends


@njit(nogil=True, cache=True, inline="always")
def _item_size(offsets: Offsets, row: int, bits: int) -> int:
    return _framed(offsets[row + 1] - offsets[row]) + (5 if bits else 0) + 4


@njit(nogil=True, cache=True)
def _framed(size: int) -> int:
    """Return the bytes of a field that holds `size` bytes: its tag, its length and what it holds."""
    framed, rest = size + 2, size >> 7
    while rest:
        framed, rest = framed + 1, rest >> 7
    return framed


@njit(nogil=True, cache=True)
def _head(out: Bytes, place: int, tag: int, size: int) -> int:
    """Write the tag and the length of a field; return where its bytes go."""
    out[place] = tag
    place += 1
    while size >= 0x80:
        out[place] = (size & 0x7F) | 0x80
        size >>= 7
        place += 1
    out[place] = size
    return place + 1
