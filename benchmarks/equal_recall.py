"""Speeds of engines at one recall, whatever recalls their settings happen to have."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntMatrix


@dataclass(frozen=True, slots=True)
class Contender:
    """One setting of one engine.

    Attributes:
        family: settings of one family are points of one curve.
        knobs: the setting.
        search: the call that is timed, for a block of queries.
        rows: (b, k) rows of the answer to a block; not timed.
        batch: queries a call.
    """

    family: str
    knobs: Mapping[str, float]
    search: Callable[[FloatMatrix], Any]
    rows: Callable[[Any], IntMatrix]
    batch: int = 1


@dataclass(frozen=True, slots=True)
class Point:
    """What one setting reached.

    Attributes:
        contender: the setting.
        recall: share of the true k that were found.
        rates: queries a second of each pass, in order.
    """

    contender: Contender
    recall: float
    rates: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Queries a second of the median pass."""
        return float(np.median(self.rates))


def measure(
    contenders: Sequence[Contender], queries: FloatMatrix, truth: IntMatrix, passes: int
) -> list[Point]:
    """Time all contenders in turn, again and again, so that a slow minute strikes all alike.

    Args:
        contenders: what to compare.
        queries: (q, d) float32, C-contiguous.
        truth: (q, k) true rows.
        passes: over the queries, by each contender; a first one finds the recall and warms up.
    """
    recalls = [_recall(contender, queries, truth) for contender in contenders]
    rates: list[list[float]] = [[] for _ in contenders]
    for _ in range(passes):
        for contender, of_one in zip(contenders, rates, strict=True):
            of_one.append(_rate(contender, queries))
    return [
        Point(contender, recall, tuple(of_one))
        for contender, recall, of_one in zip(contenders, recalls, rates, strict=True)
    ]


def _blocks(contender: Contender, queries: FloatMatrix) -> list[FloatMatrix]:
    return [queries[i : i + contender.batch] for i in range(0, len(queries), contender.batch)]


def _recall(contender: Contender, queries: FloatMatrix, truth: IntMatrix) -> float:
    found = np.vstack(
        [contender.rows(contender.search(block)) for block in _blocks(contender, queries)]
    )
    hits = (found[:, :, np.newaxis] == truth[:, np.newaxis, :]).any(axis=1)  # (q, k)
    return float(hits.mean())


def _rate(contender: Contender, queries: FloatMatrix) -> float:
    blocks = _blocks(contender, queries)
    begun = time.perf_counter()
    for block in blocks:
        contender.search(block)
    return len(queries) / (time.perf_counter() - begun)


def front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats in both recall and rate, by rising recall."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (-p.recall, -p.rate)):
        if not best or point.rate > best[-1].rate:
            best.append(point)
    return best[::-1]


def rate_at(points: Sequence[Point], recall: float) -> float | None:
    """Return queries a second at exactly `recall`: log rates between points of the front.

    None where the curve does not span the recall; a curve that starts above it counts from its first
    point, which is the best rate known to reach it.
    """
    curve = front(points)
    if not curve or curve[-1].recall < recall:
        return None
    recalls: NDArray[np.float64] = np.array([point.recall for point in curve])
    logs = np.log([point.rate for point in curve])
    return float(np.exp(np.interp(recall, recalls, logs)))


def by_family(points: Sequence[Point]) -> dict[str, list[Point]]:
    """Return the points of each family."""
    families: dict[str, list[Point]] = {}
    for point in points:
        families.setdefault(point.contender.family, []).append(point)
    return families
