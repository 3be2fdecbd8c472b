"""How much each session counts where pairs of items are counted."""

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector
from trainer.softmax_config import SoftmaxConfig
from trainer.weighted_lists import WeightedLists


def weigh_sessions(sessions: WeightedLists, settings: SoftmaxConfig) -> WeightedLists:
    """Return the sessions with every event weighed by the length and the age of its session.

    A session of n items has about n times as many pairs an item as one of two; weighing it by
    n ** -session_exponent lets every shopper have more of an equal say. Tastes and ranges change:
    a session counts half of one that is younger by `half_life` of all sessions.

    Args:
        sessions: oldest first.
        settings: `session_exponent` and `half_life`.
    """
    factors = session_factors(sessions.lists.lengths, settings)
    if factors is None:
        return sessions
    events = np.repeat(factors, sessions.lists.lengths)
    weights = events if sessions.weights is None else events * sessions.weights
    return WeightedLists(sessions.lists, weights)


def session_factors(lengths: NDArray[np.int64], settings: SoftmaxConfig) -> FloatVector | None:
    """Return what each session counts, (s,) float32; None where all count the same."""
    if not settings.session_exponent and settings.half_life is None:
        return None
    factors = np.maximum(lengths, 1).astype(np.float64) ** -settings.session_exponent
    if settings.half_life is not None:
        ages = np.arange(len(lengths))[::-1] / max(len(lengths), 1)
        factors *= 0.5 ** (ages / settings.half_life)
    return factors.astype(np.float32)
