"""How much a server does for a call while many others wait."""

from enum import IntEnum

from artifacts.accuracy import Accuracy


class Effort(IntEnum):
    """What is left out under load; each level does less than the one before."""

    FULL = 0  # what the caller asks for
    FAST = 1  # searches at the accuracy `fast`, and none that compares with every vector
    LISTS = 2  # look-ups alone: precomputed, borrowed and popular lists

    def limited(self, asked: Accuracy) -> Accuracy:
        """Return the accuracy of searches where `asked` was asked for."""
        return asked if self is Effort.FULL else Accuracy.FAST
