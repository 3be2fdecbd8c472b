"""The highest rate at which a server still answers in time."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from benchmarks.open_loop import LoadResult

Trial: TypeAlias = Callable[[float, float], LoadResult]
"""Puts a load on a server: calls a second, seconds."""

GOOD_SHARE = 0.99
FIRST_RATE = 100.0
LEAST_RATE = 0.5
TRIAL_S = 4.0
HALVINGS = 5
BACK_OFF = 0.96
CONFIRMATIONS = 8


class Saturation(NamedTuple):
    """Where a server stands when it is full."""

    rate: float
    """Calls a second."""
    result: LoadResult
    """What was measured there, for the full time."""
    is_confirmed: bool
    """Whether it held for the full time; lower rates were tried, and none did, where it has not."""


def holds(result: LoadResult) -> bool:
    """Tell whether nearly all calls were answered in time, by a generator that kept its own."""
    return result.is_valid and result.good_share >= GOOD_SHARE


def find_saturation(
    trial: Trial, seconds: float, holds: Callable[[LoadResult], bool] = holds
) -> Saturation:
    """Double the rate until calls fail, halve the gap, and confirm what is found for `seconds`.

    A rate at which the generator itself is late counts as failed: it would not be the server's.

    Args:
        trial: puts a load on the server.
        seconds: of the loads that confirm.
        holds: tells whether a server bears what it was given.
    """
    high = FIRST_RATE
    while holds(trial(high, TRIAL_S)):
        high *= 2
    low = high / 2
    while high <= FIRST_RATE and low > LEAST_RATE and not holds(trial(low, TRIAL_S)):
        low, high = low / 2, low
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if holds(trial(middle, TRIAL_S)) else (low, middle)
    rate = low
    for _ in range(CONFIRMATIONS):
        result = trial(rate, seconds)
        if holds(result):
            return Saturation(rate, result, is_confirmed=True)
        rate *= BACK_OFF
    return Saturation(rate, result, is_confirmed=False)


def overload_goodput(peak: float, refusal_s: float) -> float:
    """Return the calls a second that are left at three times saturation once refusals are paid.

    With S = 1 / `peak` the cost of a served call and r that of a refusal, g calls are served and
    3 `peak` - g refused in each second: g S + (3 `peak` - g) r = 1.
    """
    ratio = refusal_s * peak
    if ratio >= 1:
        return 0.0
    return max(peak * (1 - 3 * ratio) / (1 - ratio), 0.0)
