"""How fast a client sends to servers that shed load."""

import math
from collections.abc import Callable

SMOOTHING = 0.8
"""Weight of the newest measurement of the rate."""
WINDOW_S = 0.5
"""The rate is measured over so long."""
BETA = 0.7
"""What is left of the rate after a refusal."""
SCALE = 0.4
"""How steeply the rate grows again."""
SLOWEST = 0.5
"""Calls a second at least."""
FORGOTTEN_S = 60.0
"""After so long without a refusal nothing is held up any more."""


class SendingRate:
    """A token bucket that fills as fast as the server has shown to bear.

    Without a refusal it holds nothing up. After one it lets through `BETA` of the measured rate,
    then more along a cubic curve, slowly around the rate that was refused and faster beyond it: the
    adaptive mode of the AWS SDKs, which follows CUBIC (Ha, Rhee, Xu 2008). Unlike there, tokens may be
    taken in advance, so that those who wait do so in order; the window that is not over yet counts, so
    that a refusal in the first one does not stop the client; and a refusal is forgotten some day.

    Args:
        clock: seconds, ever growing.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        now = clock()
        self._limited = False
        self._fill_rate = 0.0  # tokens a second
        self._tokens = 0.0
        self._capacity = 0.0
        self._filled_at = now
        self._measured = 0.0  # calls a second
        self._window = math.floor(now / WINDOW_S)
        self._in_window = 0
        self._top_rate = 0.0  # what was sent at when a refusal came
        self._refused_at = now
        self._plateau_s = 0.0  # from a refusal until the top rate is reached again

    @property
    def limited(self) -> bool:
        """Whether there was a refusal."""
        return self._limited

    @property
    def per_second(self) -> float:
        """Calls a second that are let through; infinite before the first refusal."""
        return self._fill_rate if self._limited else math.inf

    def take(self) -> float:
        """Take a token and return the seconds to wait before sending."""
        if not self._limited:
            return 0.0
        self._fill()
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._fill_rate)

    def give_back(self) -> None:
        """Return a token that was taken for a call that was not sent."""
        if self._limited:
            self._tokens += 1.0

    def answered(self) -> None:
        """Note an answer, good or bad, of a server that took the call on."""
        self._measure()
        if not self._limited:
            return
        since_s = self._clock() - self._refused_at
        self._limited = since_s < FORGOTTEN_S
        growing = SCALE * (since_s - self._plateau_s) ** 3 + self._top_rate
        self._set(min(growing, 2 * self._sent_rate))

    def refused(self) -> None:
        """Note that the server shed the call."""
        self._measure()
        rate = min(self._sent_rate, self._fill_rate) if self._limited else self._sent_rate
        self._top_rate = rate
        self._plateau_s = (rate * (1 - BETA) / SCALE) ** (1 / 3)
        self._refused_at = self._clock()
        first = not self._limited
        self._limited = True
        self._set(rate * BETA)
        if first:
            self._tokens = self._capacity

    @property
    def _sent_rate(self) -> float:
        """Calls a second, by what was measured and by the window that is not over yet."""
        return max(self._measured, self._in_window / WINDOW_S)

    def _fill(self) -> None:
        now = self._clock()
        gained = (now - self._filled_at) * self._fill_rate
        self._tokens = min(self._capacity, self._tokens + gained)
        self._filled_at = now

    def _set(self, rate: float) -> None:
        self._fill()
        self._fill_rate = max(rate, SLOWEST)
        self._capacity = max(rate, 1.0)
        self._tokens = min(self._tokens, self._capacity)

    def _measure(self) -> None:
        window = math.floor(self._clock() / WINDOW_S)
        self._in_window += 1
        if window > self._window:
            current = self._in_window / ((window - self._window) * WINDOW_S)
            self._measured += SMOOTHING * (current - self._measured)
            self._in_window = 0
            self._window = window
