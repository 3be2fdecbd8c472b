"""Settings in rising order, and where on the way up a condition begins to hold."""

from collections.abc import Callable

GRAIN = 1.04
"""Ratio of one step of a ladder to the one below: a finer step hides in the noise of measuring."""


def whole_steps(low: int, high: int) -> list[int]:
    """Return whole numbers from `low` to `high` that grow by `GRAIN`, or by 1 where that is more."""
    steps = [low]
    while steps[-1] < high:
        steps.append(min(max(steps[-1] + 1, round(steps[-1] * GRAIN)), high))
    return steps


def share_steps(low: float) -> list[float]:
    """Return shares from `low` to 1 that grow by `GRAIN`."""
    steps = [1.0]
    while steps[-1] / GRAIN > low:
        steps.append(round(steps[-1] / GRAIN, 5))
    return steps[::-1]


def first_reaching(reached: Callable[[int], bool], size: int, start: int = 0) -> int | None:
    """Return the lowest place below `size` at which `reached` holds, or None.

    Args:
        reached: false up to some place and true from there on.
        size: number of places.
        start: where the answer is expected.

    Cost: O(log distance from `start`) calls, few of them above the answer, where searches are slow.
    """
    below, above = (-1, start) if reached(start) else (start, size)
    stride = 1
    if above == start:
        while above - stride > below and reached(above - stride):
            above, stride = above - stride, 2 * stride
        below = max(above - stride, below)
    else:
        while below + stride < size and not reached(below + stride):
            below, stride = below + stride, 2 * stride
        above = min(below + stride, size)
    while above - below > 1:
        middle = (above + below) // 2
        below, above = (below, middle) if reached(middle) else (middle, above)
    return above if above < size else None
