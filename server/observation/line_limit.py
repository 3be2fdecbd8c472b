"""How many lines of a kind a log gets."""

from collections.abc import Callable


class LineLimit:
    """A token bucket of lines: a second's worth at once, and as many a second.

    Args:
        per_second: lines a second.
        clock: seconds, ever growing.
    """

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._capacity = max(per_second, 1.0)
        self._tokens = self._capacity
        self._clock = clock
        self._filled_at = clock()
        self._left_out = 0

    def take(self) -> int | None:
        """Return how many lines were left out since the last one, or None for another to leave out."""
        now = self._clock()
        gained = (now - self._filled_at) * self._per_second
        self._tokens = min(self._capacity, self._tokens + gained)
        self._filled_at = now
        if self._tokens < 1.0:
            self._left_out += 1
            return None
        self._tokens -= 1.0
        left_out, self._left_out = self._left_out, 0
        return left_out
