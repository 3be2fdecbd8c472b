"""Whether a search is taken on."""

from artifacts.errors import OverloadedError
from server.load_config import AdmissionConfig

WEIGHT = 0.1
"""Of the newest search in the mean cost: the last twenty or so count."""

MARGIN = 1.25
"""A search is refused if it would take this many times its expected time too long: the mean is
exceeded by about half of them."""


class Admission:
    """Counts what waits and what is searched for, and refuses what would come too late.

    Refusing at once costs the caller nothing but the call; an answer that comes after the deadline
    costs a search, and makes everybody behind it late as well. Knows no clock, times are given.

    Args:
        config: bounds.
        threads: how many searches run at once.
    """

    def __init__(self, config: AdmissionConfig, threads: int) -> None:
        self._config = config
        self._threads = threads
        self._entry_s = 0.0
        self.waiting = 0
        self.running = 0

    @property
    def wait_s(self) -> float:
        """Seconds until a search that comes now would begin, by what the last ones took."""
        return (self.waiting + self.running) * self._entry_s / self._threads

    @property
    def is_full(self) -> bool:
        """Whether even a single entry of a patient caller is refused."""
        if not (self.waiting or self.running):
            return False
        return (
            self.waiting >= self._config.max_queued
            or 1_000 * self.wait_s > self._config.max_wait_ms
        )

    def enter(self, entries: int, left_s: float | None) -> None:
        """Count a call's entries among the waiting ones.

        Args:
            entries: that are to be searched for.
            left_s: seconds that the caller will wait; None for as long as it takes.

        Raises:
            OverloadedError: it would come too late, or too much waits already.
        """
        if self.waiting or self.running:
            self._check(entries, left_s)
        self.waiting += entries

    def leave(self, entries: int) -> None:
        """Count out entries that nobody waits for any longer."""
        self.waiting -= entries

    def begin(self, entries: int) -> None:
        """Note that waiting entries are searched for now."""
        self.waiting -= entries
        self.running += entries

    def end(self, entries: int, took_s: float) -> None:
        """Note that the search for `entries` has ended after `took_s` seconds."""
        self.running -= entries
        cost_s = took_s / entries
        self._entry_s += (cost_s - self._entry_s) * (WEIGHT if self._entry_s else 1.0)

    def _check(self, entries: int, left_s: float | None) -> None:
        wait_s = self.wait_s
        if self.waiting + entries > self._config.max_queued:
            raise OverloadedError(
                f"{self.waiting} searches wait already; try again in a moment", retry_after_s=wait_s
            )
        if 1_000 * wait_s > self._config.max_wait_ms:
            raise OverloadedError(
                f"searches wait for {1_000 * wait_s:.0f} ms; try again in a moment",
                retry_after_s=wait_s,
            )
        needed_s = MARGIN * (wait_s + entries * self._entry_s)
        if left_s is not None and needed_s > left_s:
            raise OverloadedError(
                f"the answer would take {1_000 * needed_s:.0f} ms, and {1_000 * left_s:.0f} ms are "
                "left; try again in a moment, or with a longer deadline",
                retry_after_s=wait_s,
            )
