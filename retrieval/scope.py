"""The rows that a search ranges over, and how many of them a filter leaves."""

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from retrieval.answer import Stage
from retrieval.filters import CompiledFilter
from retrieval.state import ServingState


class SearchScope:
    """The rows of a space inside some top categories, worked out only when somebody asks.

    Args:
        state: the snapshot.
        space: name of the space.
        categories: top categories; empty stands for all.
    """

    __slots__ = ("_positions", "_state", "categories", "space")

    def __init__(self, state: ServingState, space: str, categories: tuple[str, ...]) -> None:
        self._state = state
        self.space = space
        self.categories = categories
        self._positions: NDArray[np.intp] | None = None

    @property
    def positions(self) -> NDArray[np.intp]:
        """Places in the space's table, ascending. Cost: O(n) the first time."""
        if self._positions is None:
            rows = np.asarray(self._state.snapshot.spaces[self.space].rows)
            if self.categories:
                codes = [self._state.category_codes[name] for name in self.categories]
                row_codes = np.asarray(self._state.snapshot.catalog.category_codes)[rows]
                self._positions = np.flatnonzero(np.isin(row_codes, codes))
            else:
                self._positions = np.arange(len(rows))
        return self._positions

    @property
    def rows(self) -> IntVector:
        """Vocabulary rows, ascending."""
        table: IntVector = np.asarray(self._state.snapshot.spaces[self.space].rows)
        return table[self.positions]

    def rows_left(self, filter: CompiledFilter) -> int:
        """Count the rows that pass the part of a filter that needs no query. Cost: O(n)."""
        return int(np.count_nonzero(filter.judge_statically(self.rows) == Stage.PASSED))
