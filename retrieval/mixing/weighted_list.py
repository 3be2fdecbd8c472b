"""What is mixed, and what a mixture is."""

from collections.abc import Sequence
from typing import NamedTuple


class WeightedList(NamedTuple):
    """One of the lists of a mixture. Its scores have no part in it: those of two lists do not compare."""

    rows: Sequence[int]
    """Distinct rows, best first."""
    weight: float = 1.0
    """How much it counts beside the others. Below 0 it speaks against its items, and gives none."""


class Pick(NamedTuple):
    """An item of a mixture."""

    list: int
    """Place of the list that it is owed to."""
    place: int
    """Its place in that list, from 0."""
    score: float
    """Higher is better, comparable only within one mixture."""


RANK_CONSTANT = 60.0
"""How slowly worth falls with rank (Cormack, Clarke, Büttcher 2009, section 2)."""


def rank_worth(place: int) -> float:
    """Return what a place in a list, from 0, is worth: 1 / (60 + rank)."""
    return 1.0 / (RANK_CONSTANT + place + 1)
