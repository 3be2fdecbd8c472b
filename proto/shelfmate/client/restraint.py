"""What a client does when servers shed load."""

import threading
from collections.abc import Callable

from shelfmate.client.sending_rate import SendingRate

MOST_ATTEMPTS = 3
"""Times that a call is sent at most."""
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0
QUOTA = 500.0
"""Tokens for attempts beyond the first one; shared by all calls of a client."""
ATTEMPT_COSTS = 5.0
ANSWER_PAYS = 1.0


class Restraint:
    """Decides when a call is sent, and whether it is sent again; all calls of a client share one.

    Calls wait for their turn while the servers shed load. A call that was shed is sent again after the
    pause that the server asked for, or a longer one that doubles with each attempt, with a random
    part so that callers do not come back together. Attempts are paid for out of a quota that answers
    fill up again, so that a client stops repeating calls while most of them fail: the retry quota of
    the AWS SDKs' standard mode, and gRPC's retry throttling.

    Safe to use from several threads.

    Args:
        clock: seconds, ever growing.
        random: numbers in [0, 1).
    """

    def __init__(self, clock: Callable[[], float], random: Callable[[], float]) -> None:
        self._random = random
        self._rate = SendingRate(clock)
        self._quota = QUOTA
        self._is_over = False
        self._lock = threading.Lock()

    def wait_s(self, patience_s: float) -> float | None:
        """Return the seconds to wait before the next call is sent.

        Args:
            patience_s: the longest that may be waited.

        Returns:
            None where the call's turn comes later than that: it is not to be sent.
        """
        with self._lock:
            wait_s = self._rate.take()
            if wait_s <= patience_s:
                return wait_s
            self._rate.give_back()
            return None

    def end(self) -> None:
        """Have nothing sent again: the client is being closed."""
        self._is_over = True

    def answered(self) -> None:
        """Note a call that a server took on."""
        with self._lock:
            self._rate.answered()
            self._quota = min(QUOTA, self._quota + ANSWER_PAYS)

    def again_s(self, attempt: int, asked_s: float, *, shed: bool = True) -> float | None:
        """Note a call that was not taken on, and return the pause before it is sent again.

        Args:
            attempt: how often it was sent, from 1.
            asked_s: the pause that the server asked for.
            shed: whether the server has too much to do; one that drains says nothing of the others.

        Returns:
            None where it is not to be sent again.
        """
        with self._lock:
            if shed:
                self._rate.refused()
            if self._is_over or attempt >= MOST_ATTEMPTS or self._quota < ATTEMPT_COSTS:
                return None
            self._quota -= ATTEMPT_COSTS
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (attempt - 1))
        least_s = max(asked_s, pause_s)
        return least_s * (1.0 + self._random())
