"""When the calls of an open loop are due."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Times: TypeAlias = NDArray[np.float64]


class Arrivals(StrEnum):
    """How calls follow each other."""

    POISSON = "poisson"  # as those of many callers who know nothing of each other
    CONSTANT = "constant"  # evenly


class Step(NamedTuple):
    """A stretch of a load."""

    rate: float
    """Calls a second."""
    seconds: float
    """How long."""


def due_times(steps: Sequence[Step], arrivals: Arrivals, *, seed: int) -> Times:
    """Return when calls are due, in seconds from the start, ascending.

    Each step has `rate * seconds` calls, at least one: a Poisson process of which the number is known is
    that many independent times, sorted.
    """
    rng = np.random.default_rng(seed)
    parts, start = [], 0.0
    for step in steps:
        count = max(round(step.rate * step.seconds), 1)
        match arrivals:
            case Arrivals.POISSON:
                shares = np.sort(rng.random(count))
            case Arrivals.CONSTANT:
                shares = (np.arange(count) + 0.5) / count
        parts.append(start + step.seconds * shares)
        start += step.seconds
    return np.concatenate(parts)
