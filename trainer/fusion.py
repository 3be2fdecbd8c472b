"""Candidates ordered without a model: by one source, or by a fusion of all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from artifacts.errors import DataError
from artifacts.ranking_table import RankingTable
from trainer.list_gains import UNLISTED, ListLengths, value_lists
from trainer.ranker_kernels import fuse_ranks, take_turns
from trainer.ranker_parts import take_contexts

WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""What a source may weigh in a fusion whose weights are chosen."""

PASSES = 3
"""Times that the weight of each source is chosen anew, at most."""


class FusionKind(StrEnum):
    """Ways to make one order of the lists of several sources; all of them go by ranks."""

    RANKS = "reciprocal ranks"  # by the sum of 1 / (60 + rank)
    WEIGHTED = "weighted ranks"  # by the sum of weight / (60 + rank)
    TURNS = "round robin"  # by turns, the heaviest source first


@dataclass(frozen=True, slots=True)
class Fusion:
    """A way to order candidates by the ranks that sources give them.

    Attributes:
        kind: how.
        weights: of each source; sources of weight 0 have no say.
    """

    kind: FusionKind
    weights: tuple[float, ...]

    def scores(self, table: RankingTable) -> NDArray[np.float64]:
        """Return the score (n,) of every candidate, `UNLISTED` where no source with a say holds it."""
        ranks = np.ascontiguousarray(table.ranks)
        weights = np.asarray(self.weights, dtype=np.float64)
        if self.kind is not FusionKind.TURNS:
            return fuse_ranks(ranks, weights)
        heaviest = np.argsort(-weights, kind="stable")
        order = heaviest[weights[heaviest] > 0].astype(np.int32)
        return take_turns(np.asarray(table.offsets), ranks, order, int(ranks.max(initial=0)))


@dataclass(frozen=True, slots=True)
class FusionChoice:
    """The best fusion of each kind on the validation part.

    Attributes:
        fusions: best first.
        ndcg: of each, on the validation part.
    """

    fusions: tuple[Fusion, ...]
    ndcg: tuple[float, ...]


def source_scores(table: RankingTable, source: int) -> NDArray[np.float64]:
    """Return the scores (n,) by which one source orders candidates; `UNLISTED` where it has none."""
    ranks = table.ranks[:, source].astype(np.float64)
    return np.where(ranks > 0, -ranks, UNLISTED)


def choose_fusion(table: RankingTable, gains: Sequence[float], k: int) -> FusionChoice:
    """Choose weights and order of turns by the mean NDCG up to rank `k`.

    Weights are chosen source by source out of `WEIGHTS`, the others standing still, once from equal
    weights and once from the best source alone; turns go by how good each source is alone.

    Args:
        table: the validation part.
        gains: of grade 0, 1 and so on.
        k: length of the lists.

    Raises:
        DataError: the table has no source.

    Cost: O(tried * n * s) for some 100 to 200 weightings that are tried for six sources.
    """
    if not table.schema.sources:
        raise DataError("ranking table: expected sources to fuse, got none")
    judge = _Judge(table, gains, k)
    sources = range(len(table.schema.sources))
    alone = tuple(judge.alone(source) for source in sources)
    equal = (1.0,) * len(alone)
    best = tuple(float(source == int(np.argmax(alone))) for source in sources)
    climbed = [judge.climb(start) for start in (equal, best)]
    made = [
        Fusion(FusionKind.RANKS, equal),
        Fusion(FusionKind.WEIGHTED, max(climbed, key=judge.weighted)),
        Fusion(FusionKind.TURNS, alone),
    ]
    judged = [(judge.fused(fusion), fusion) for fusion in made]
    judged.sort(key=lambda pair: -pair[0])
    return FusionChoice(tuple(fusion for _, fusion in judged), tuple(value for value, _ in judged))


class _Judge:
    """Tells how good an order is on the validation part; weights seen before are not tried anew."""

    def __init__(self, table: RankingTable, gains: Sequence[float], k: int) -> None:
        # Where nothing is hit, every order is worth nothing: these contexts count, unlooked at.
        self._hit = take_contexts(table, np.flatnonzero(~table.targets_missing))
        self._contexts = len(table)
        self._gains = gains
        self._lengths = ListLengths(k, k)
        self._seen: dict[tuple[float, ...], float] = {}

    def alone(self, source: int) -> float:
        """Return the mean NDCG of a source's own order."""
        return self._mean(source_scores(self._hit, source))

    def fused(self, fusion: Fusion) -> float:
        """Return the mean NDCG of a fusion."""
        return self._mean(fusion.scores(self._hit))

    def weighted(self, weights: tuple[float, ...]) -> float:
        """Return the mean NDCG of weighted ranks."""
        if weights not in self._seen:
            self._seen[weights] = self.fused(Fusion(FusionKind.WEIGHTED, weights))
        return self._seen[weights]

    def _mean(self, scores: NDArray[np.float64]) -> float:
        values = value_lists(self._hit, scores, self._gains, self._lengths)
        return float(values.ndcg.sum() / self._contexts)

    def climb(self, weights: tuple[float, ...]) -> tuple[float, ...]:
        """Change one weight at a time for as long as that is better."""
        for _ in range(PASSES):
            before = weights
            for source in range(len(weights)):
                # The present weights come first: of equals they stay.
                weights = max((weights, *_with_each(weights, source)), key=self.weighted)
            if weights == before:
                break
        return weights


def _with_each(weights: tuple[float, ...], source: int) -> Iterator[tuple[float, ...]]:
    return ((*weights[:source], weight, *weights[source + 1 :]) for weight in WEIGHTS)
