"""How long the caller of a request will still wait."""

import time
from collections.abc import Callable

from artifacts.errors import DeadlineError


class Deadline:
    """A moment after which work is for nobody, checked before each stage.

    One thread works and another may cancel: the flag is only ever set.
    """

    __slots__ = ("_at_s", "_cancelled", "_clock")

    def __init__(
        self, at_s: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Expire at `at_s` by `clock`, or never where it is None."""
        self._at_s = at_s
        self._clock = clock
        self._cancelled = False

    @classmethod
    def after(cls, seconds: float | None) -> "Deadline":
        """Return a deadline `seconds` from now, or one that never comes where they are None."""
        return cls() if seconds is None else cls(time.monotonic() + seconds)

    def cancel(self) -> None:
        """Say that the caller has gone."""
        self._cancelled = True

    def check(self, stage: str) -> None:
        """Return if `stage` is still wanted.

        Raises:
            DeadlineError: the deadline has passed or the caller has gone.
        """
        if self.passed:
            raise self.error(stage)

    @property
    def passed(self) -> bool:
        """Whether nobody waits any longer."""
        return self._cancelled or (self._at_s is not None and self._clock() >= self._at_s)

    @property
    def left_s(self) -> float | None:
        """Seconds that the caller still waits, below 0 once that is over; None without an end."""
        return None if self._at_s is None else self._at_s - self._clock()

    def error(self, stage: str) -> DeadlineError:
        """Return what is raised where `stage` is no longer wanted."""
        if self._cancelled:
            return DeadlineError(f"the caller has gone; `{stage}` was not begun")
        return DeadlineError(f"the deadline passed before `{stage}`; send a longer one")
