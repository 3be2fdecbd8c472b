"""Which items are out of stock: the one thing that changes while a snapshot serves."""

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector


class Availability:
    """Stock of the items of one snapshot. What is not known to be out is in stock.

    Marking is not atomic over several rows: an answer that is being made may see some of them.

    Attributes:
        out_of_stock: (n,) by vocabulary row. Zeros of a fresh array take no memory until written.
        version: number of the last change taken in, counted by whoever brings changes.
    """

    __slots__ = ("out_of_stock", "version")

    def __init__(self, items: int) -> None:
        self.out_of_stock: NDArray[np.bool_] = np.zeros(items, dtype=np.bool_)
        self.version = 0

    def mark(self, rows: IntVector, available: NDArray[np.bool_], *, version: int) -> None:
        """Take in changes.

        Args:
            rows: (m,) vocabulary rows; -1, for items that the snapshot does not know, is passed over.
            available: (m,) whether each is in stock now; of a row that comes twice the last one holds.
            version: number of the last of the changes.
        """
        known = rows >= 0
        self.out_of_stock[rows[known]] = ~available[known]
        self.version = version
