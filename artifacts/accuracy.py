"""How much work a search may do."""

from enum import StrEnum


class Accuracy(StrEnum):
    """How much work a search may put into finding every true neighbour.

    What a level means in settings of an engine is found when the index is built; an index without
    levels is searched in the same way at all of them.
    """

    FAST = "fast"
    BALANCED = "balanced"
    ACCURATE = "accurate"
