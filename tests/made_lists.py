"""Seeded sessions of vocabulary rows."""

from collections.abc import Sequence

import numpy as np

from artifacts.ragged import Ragged


def ragged(lists: Sequence[Sequence[int]]) -> Ragged:
    """Return the lists, end to end."""
    values = np.array([value for one in lists for value in one], dtype=np.int32)
    return Ragged.of(np.array([len(one) for one in lists], dtype=np.int64), values)


def random_lists(count: int, items: int, *, longest: int = 8, seed: int = 0) -> list[list[int]]:
    """Return sessions in which low rows are popular, and rows may come back."""
    rng = np.random.default_rng(seed)
    return [
        rng.integers(0, items, (rng.integers(1, longest + 1), 2)).min(axis=1).tolist()
        for _ in range(count)
    ]
