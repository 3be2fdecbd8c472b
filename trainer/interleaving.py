"""Sequences in which every item is followed by its metadata (Vasile et al. 2016)."""

import numpy as np

from artifacts.ragged import Ragged
from trainer.weighted_lists import WeightedLists


def interleave(sessions: WeightedLists, tokens: Ragged) -> WeightedLists:
    """Put the metadata tokens of every item behind it.

    Args:
        sessions: of items 0 .. n - 1.
        tokens: n lists of token numbers from 0 on.

    Returns:
        Sessions of as many lists, in which token t is n + t and weighs as much as its item.

    Cost: O(items and tokens of all sessions), in time and memory.
    """
    items, lists = len(tokens), sessions.lists
    lengths = 1 + tokens.lengths_of(lists.values)  # of every item with its tokens
    ends = np.concatenate([[0], np.cumsum(lengths)])
    values = np.empty(int(ends[-1]), dtype=np.int32)
    is_item = np.zeros(len(values), dtype=np.bool_)
    is_item[ends[:-1]] = True
    values[is_item] = lists.values
    values[~is_item] = items + tokens.values[tokens.places(lists.values)]
    woven = Ragged.of(np.diff(ends[lists.offsets]), values)
    weights = None if sessions.weights is None else np.repeat(sessions.weights, lengths)
    return WeightedLists(woven, weights)


def widened(window: int, columns: int) -> int:
    """Return the window that reaches as many items as `window` does without metadata."""
    return window * (1 + columns)
