"""When a worker that died is started again."""

FIRST_S = 0.2
LONGEST_S = 30.0
STEADY_S = 30.0
"""A worker that has served so long died of something new."""

HOPELESS = 5
"""Deaths in a row, each before the worker was ready."""


class Restarts:
    """The deaths of one place's workers; knows no clock, times are given.

    The first death is answered at once, further ones after pauses that double from `FIRST_S` to
    `LONGEST_S`, so that a worker that dies of its data does not keep a core busy.
    """

    def __init__(self) -> None:
        self._deaths = 0
        self._at_start = 0

    @property
    def hopeless(self) -> bool:
        """Whether so many workers in a row died before they were ready that more will."""
        return self._at_start >= HOPELESS

    def died(self, served_s: float | None) -> float:
        """Note a death, and return the seconds to wait before the next start.

        Args:
            served_s: how long the worker had served; None if it was never ready.
        """
        self._at_start = self._at_start + 1 if served_s is None else 0
        if served_s is not None and served_s >= STEADY_S:
            self._deaths = 0
        self._deaths += 1
        if self._deaths == 1:
            return 0.0
        # Beyond some doublings the power would overflow long before it mattered.
        return min(FIRST_S * 2.0 ** min(self._deaths - 2, 30), LONGEST_S)
