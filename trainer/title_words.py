"""Which words stand in the titles of items."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector
from artifacts.ragged import Ragged
from artifacts.text import tokenize


@dataclass(frozen=True, slots=True)
class TitleWords:
    """Words of n titles.

    Attributes:
        count: different words.
        of_items: n lists of numbers of words, ascending, each once.
        shares: float32, parallel to the values of `of_items`: w words have 1 / sqrt(w) each, so
            that long titles do not make long vectors.
    """

    count: int
    of_items: Ragged
    shares: FloatVector


def title_words(titles: Sequence[str | None], rows: NDArray[np.integer], least: int) -> TitleWords:
    """Number, in sorted order, the words that at least `least` of the items `rows` have.

    Args:
        titles: of all items.
        rows: n items.
        least: 0 takes no words at all.

    Cost: one pass over the titles; the words of all of them in memory.
    """
    if not least:
        nothing = np.zeros(len(rows), dtype=np.int64)
        empty = np.empty(0, dtype=np.int32)
        return TitleWords(0, Ragged.of(nothing, empty), empty.astype(np.float32))
    lists = [sorted(set(tokenize(titles[row]))) for row in rows.tolist()]
    holders = Counter(word for words in lists for word in words)
    known = sorted(word for word, items in holders.items() if items >= least)
    number = {word: place for place, word in enumerate(known)}
    kept = [[number[word] for word in words if word in number] for words in lists]
    lengths = np.array([len(words) for words in kept], dtype=np.int64)
    values = np.array([place for words in kept for place in words], dtype=np.int32)
    shares = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
    return TitleWords(len(known), Ragged.of(lengths, values), shares)
