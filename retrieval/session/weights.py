"""How much each visit says."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.queries import Visit
from retrieval.session.config import SessionConfig


def visit_weights(visits: Sequence[Visit], config: SessionConfig) -> NDArray[np.float64]:
    """Return the weight of each visit: of its kind, times the caller's, times its decay.

    A visit loses half of its weight in every half-life before the most recent one: in seconds where
    all visits carry times, else in visits. No clock is read, so that the same visits weigh the same
    tomorrow.

    Args:
        visits: oldest first; weights are finite.
        config: weights of kinds and half-lives.

    Returns:
        (m,) finite; below 0 where the caller's weight is.
    """
    kinds = np.array([config.kind_weights.of(visit.kind) for visit in visits], dtype=np.float64)
    callers = np.array([visit.weight for visit in visits], dtype=np.float64)
    return kinds * callers * _decay(visits, config)


def has_times(visits: Sequence[Visit]) -> bool:
    """Tell whether every visit says when it was."""
    return all(visit.at_s is not None for visit in visits)


def _decay(visits: Sequence[Visit], config: SessionConfig) -> NDArray[np.float64]:
    """Return (m,) shares in [0, 1], 1 for the most recent visit."""
    if not visits:
        return np.empty(0)
    if has_times(visits):
        moments = np.array([visit.at_s for visit in visits], dtype=np.float64)
        ages, half_life = moments.max() - moments, config.half_life_s
    else:
        ages = np.arange(len(visits) - 1, -1, -1, dtype=np.float64)
        half_life = config.half_life_visits
    if half_life is None:
        return np.ones(len(visits))
    shares: NDArray[np.float64] = np.exp2(-ages / half_life)
    return shares
