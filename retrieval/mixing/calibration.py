"""Mixing that keeps the share of each category."""

import math
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from retrieval.mixing.rank_fusion import fuse_ranks
from retrieval.mixing.weighted_list import Pick, WeightedList

SMOOTHING = 0.01
"""Share of the target in what is compared with it, so that a category that is still missing does not
cost infinitely much (Steck 2018, section 3.1)."""


class Calibration(NamedTuple):
    """What a mixture is held to."""

    target: Mapping[int, float]
    """Share of each category code; they add up to 1."""
    category: Callable[[int], int]
    """Category code of a row."""
    strength: float
    """0 looks at ranks alone, 1 at the shares alone."""


def calibrate(lists: Sequence[WeightedList], n: int, calibration: Calibration) -> list[Pick]:
    """Choose items that rank well while their categories have the shares of the target.

    Greedy maximum of (1 - strength) * sum of scores - strength * KL(target, shares of the list)
    (Steck 2018, sections 3 and 4), the score being that of rank fusion over its best.

    Args:
        lists: what is mixed.
        n: items wanted.
        calibration: the shares, and how strongly the mixture is held to them.

    Returns:
        At most n picks of distinct rows, in the order in which they were chosen; scores fall with it.

    Cost: O(n c) for c categories, after that of rank fusion.
    """
    ranked = fuse_ranks(lists, sum(len(each.rows) for each in lists))
    waiting: dict[int, deque[Pick]] = defaultdict(deque)
    for pick in ranked:
        waiting[calibration.category(lists[pick.list].rows[pick.place])].append(pick)
    best = ranked[0].score if ranked else 1.0
    chosen: list[Pick] = []
    counts: Counter[int] = Counter()
    while len(chosen) < n and waiting:
        code = _next(waiting, counts, best, calibration)
        counts[code] += 1
        chosen.append(waiting[code].popleft())
        if not waiting[code]:
            del waiting[code]
    return _rescored(chosen)


def _next(
    waiting: Mapping[int, deque[Pick]],
    counts: Counter[int],
    best: float,
    calibration: Calibration,
) -> int:
    """Return the category whose best item adds most; of equals, that of the better item."""
    target, strength = calibration.target, calibration.strength
    # All categories that are not in the target make the same of it.
    divergences = {code: _divergence(target, counts, code) for code in target if code in waiting}
    other = _divergence(target, counts, None)

    def gain(code: int) -> tuple[float, float, int]:
        score = waiting[code][0].score / best
        loss = divergences.get(code, other)
        return (1 - strength) * score - strength * loss, score, -code

    return max(waiting, key=gain)


def _divergence(target: Mapping[int, float], counts: Counter[int], added: int | None) -> float:
    """Return KL(target, shares of the counts), in nats, with one more item counted in."""
    total = counts.total() + 1
    divergence = 0.0
    for code, share in target.items():
        if share > 0:
            held = (counts[code] + (code == added)) / total
            divergence += share * math.log(share / ((1 - SMOOTHING) * held + SMOOTHING * share))
    return divergence


def _rescored(chosen: Sequence[Pick]) -> list[Pick]:
    """Return the picks with scores that do not rise: of the best that is left, as ranks have it."""
    scores = sorted((pick.score for pick in chosen), reverse=True)
    return [pick._replace(score=score) for pick, score in zip(chosen, scores, strict=True)]
