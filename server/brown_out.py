"""How much a server does for a call, by how long searches wait."""

from collections.abc import Callable

from retrieval.effort import Effort
from server.load_config import BrownOutConfig


class BrownOut:
    """Steps down while searches wait too long, and up again once they do not.

    A step takes load that lasts: `patience_s` down, `calm_s` up. Between the two thresholds nothing
    moves. As in CoDel (Nichols and Jacobson 2012) the time that work has waited is watched, and not
    the length of the queue, because it means the same at every cost of a search.

    Args:
        config: thresholds and times.
        clock: seconds, monotonic.
    """

    def __init__(self, config: BrownOutConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._effort = Effort.FULL
        self._above_since: float | None = None
        self._calm_since: float | None = None

    def observe(self, waited_s: float) -> None:
        """Note how long a search waited for a thread."""
        now = self._clock()
        waited_ms = 1_000 * waited_s
        if waited_ms <= self._config.above_ms:
            self._above_since = None
        elif self._above_since is None:
            self._above_since = now
        if waited_ms >= self._config.below_ms:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        self._step_down(now)

    def effort(self, *, idle: bool) -> Effort:
        """Return what is done for a call that comes now.

        Args:
            idle: no search waits, so that none can be observed.
        """
        if self._effort is not Effort.FULL:
            self._step_up(self._clock(), idle=idle)
        return self._effort

    def _step_down(self, now: float) -> None:
        if not self._config.enabled or self._above_since is None or self._effort is Effort.LISTS:
            return
        if now - self._above_since >= self._config.patience_s:
            self._effort = Effort(self._effort + 1)
            self._above_since = now
            self._calm_since = None

    def _step_up(self, now: float, *, idle: bool) -> None:
        if idle and self._calm_since is None:
            self._calm_since, self._above_since = now, None
        if self._calm_since is not None and now - self._calm_since >= self._config.calm_s:
            self._effort = Effort(self._effort - 1)
            self._calm_since = now if self._effort is not Effort.FULL else None
