"""Chooses when the hybrid trusts an anchor, for the shop and for single categories."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.progress import Progress
from cli.cold_scorers import ColdWorld, Hybrid, HybridThresholds

LEAST_SESSIONS = (5, 20, 50, 100, 200, 500, 1_000)
ANCHORS = (1, 3, 5, 10)
LEAST_SIMILARITIES = (0.0, 0.5, 0.7)
GRID = {"min_sessions": LEAST_SESSIONS, "anchors": ANCHORS, "min_similarity": LEAST_SIMILARITIES}
"""Values tried for each threshold of the hybrid, in the order of their weight."""

LEAST_CASES = 100
"""Cases below which a category has no threshold of its own."""
STANDARD_ERRORS = 2.0
"""By how much a category's own threshold must do better than the shop's to be taken."""

Scores: TypeAlias = NDArray[np.float64]


def choose_thresholds(
    world: ColdWorld,
    queries: IntVector,
    score: Callable[[Hybrid], Scores],
    *,
    progress: Progress,
) -> HybridThresholds:
    """Return the best thresholds, found one after the other.

    A category gets a minimum similarity of its own where it has cases enough to tell, and the mean
    of the paired differences is two standard errors above zero.

    Args:
        world: what the hybrid knows.
        queries: (n,) hidden item of each case.
        score: returns (n,) reciprocal ranks of a hybrid on these cases.
        progress: told of each value.
    """
    progress.start("choose thresholds", total=sum(map(len, GRID.values())))
    chosen, best = HybridThresholds(min_sessions=LEAST_SESSIONS[0]), -1.0
    by_similarity: dict[float, Scores] = {}
    for name, values in GRID.items():
        for candidate in [chosen.model_copy(update={name: value}) for value in values]:
            scores = score(Hybrid(world, candidate))
            if name == "min_similarity":
                by_similarity[candidate.min_similarity] = scores
            if float(scores.mean()) > best:
                best, chosen = float(scores.mean()), candidate
            progress.advance()
    own = _by_category(world, queries, by_similarity, chosen.min_similarity)
    progress.finish(", ".join(f"{name} {value}" for name, value in chosen if name != "categories"))
    return chosen.model_copy(update={"categories": own})


def _by_category(
    world: ColdWorld, queries: IntVector, by_similarity: Mapping[float, Scores], usual: float
) -> dict[str, float]:
    """Return the minimum similarity of each category that does better with one of its own."""
    own = {}
    codes = world.categories[queries]
    for code in np.flatnonzero(np.bincount(codes, minlength=len(world.names)) >= LEAST_CASES):
        here = codes == code
        gains = {
            value: _sure_gain(scores[here] - by_similarity[usual][here])
            for value, scores in by_similarity.items()
        }
        value = max(gains, key=lambda value: gains[value])
        if gains[value] > 0:
            own[world.names[code]] = value
    return own


def _sure_gain(differences: Scores) -> float:
    """Return the mean of paired differences if it is surely above zero, else 0."""
    mean = float(differences.mean())
    error = float(differences.std(ddof=1)) / np.sqrt(len(differences))
    return mean if mean > STANDARD_ERRORS * error else 0.0
