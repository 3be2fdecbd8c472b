"""From the rankings of several methods to one report."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.prepared import Prepared
from trainer.bootstrap import Bootstrap
from trainer.config import EvaluateConfig
from trainer.evaluation_report import (
    Decile,
    DecileScore,
    Difference,
    EvaluationReport,
    Interval,
    MethodResult,
    Protocol,
)
from trainer.list_metrics import gini, novelty
from trainer.popularity_deciles import DECILES, popularity_deciles
from trainer.ranking import Ranking


@dataclass(frozen=True, slots=True)
class Compared:
    """The cases that all methods were ranked on.

    Attributes:
        prepared: the data set.
        protocol: what was predicted from what.
        k: length of the lists.
        targets: (n,) int32 vocabulary rows.
        sessions: (n,) int64 number of the held-out session of each case, ascending from 0 without
            gaps; sessions are what is resampled.
        parted_by: (n,) int32 vocabulary rows whose popularity puts a case into its decile; None
            takes the targets.
    """

    prepared: Prepared
    protocol: Protocol
    k: int
    targets: IntVector
    sessions: NDArray[np.int64]
    parted_by: IntVector | None = None


def compare(
    compared: Compared, rankings: Mapping[str, Ranking], config: EvaluateConfig
) -> EvaluationReport:
    """Return every method's scores, best first, and the paired differences between them.

    Args:
        compared: the cases.
        rankings: by name of the method, each over the cases in their order.
        config: of the bootstrap.

    Cost: that of `Bootstrap.of` with three columns a method.
    """
    k = compared.k
    ordered = sorted(rankings, key=lambda name: -rankings[name].reciprocal(k).mean())
    bootstrap = _bootstrap(compared, [rankings[name] for name in ordered], config)
    summary = _Summary(compared, bootstrap)
    methods = tuple(
        summary.method(name, rankings[name], place) for place, name in enumerate(ordered)
    )
    differences = tuple(
        Difference(
            method=ordered[one],
            against=ordered[other],
            mrr=_interval(bootstrap.difference(3 * one, 3 * other)),
        )
        for one, other in combinations(range(len(ordered)), 2)
    )
    return EvaluationReport(
        prepared=compared.prepared.manifest.id,
        protocol=compared.protocol,
        k=k,
        confidence=config.confidence,
        sessions=int(compared.sessions[-1]) + 1,
        cases=len(compared.targets),
        items=len(compared.prepared.items),
        methods=methods,
        differences=differences,
        deciles=summary.deciles(),
    )


def _bootstrap(compared: Compared, rankings: list[Ranking], config: EvaluateConfig) -> Bootstrap:
    """Resample sessions; columns 3 i to 3 i + 2 are MRR, HR and NDCG of method i."""
    k = compared.k
    columns = [
        np.bincount(compared.sessions, weights=values)
        for ranking in rankings
        for values in (ranking.reciprocal(k), ranking.hits(k), ranking.gains(k))
    ]
    return Bootstrap.of(np.stack(columns, axis=1), config, np.bincount(compared.sessions))


class _Summary:
    """Turns rankings into results; the deciles are worked out once."""

    def __init__(self, compared: Compared, bootstrap: Bootstrap) -> None:
        self._compared = compared
        self._bootstrap = bootstrap
        self._popularity: IntVector = np.asarray(compared.prepared.catalog.popularity)
        self._decile_of = popularity_deciles(self._popularity)
        parted_by = compared.targets if compared.parted_by is None else compared.parted_by
        self._decile_of_case = self._decile_of[parted_by]
        self._train_sessions = int(compared.prepared.manifest.details.get("train_sessions", 0))

    def method(self, name: str, ranking: Ranking, place: int) -> MethodResult:
        mrr, hit_rate, ndcg = (
            _interval(self._bootstrap.interval(3 * place + column)) for column in range(3)
        )
        items = len(self._popularity)
        return MethodResult(
            method=name,
            items=len(ranking.rows),
            mrr=mrr,
            hit_rate=hit_rate,
            ndcg=ndcg,
            coverage=len(ranking.listed) / items,
            gini=gini(ranking.listings, items),
            novelty=novelty(ranking.listings, ranking.rows, self._popularity, self._train_sessions),
            deciles=self._decile_scores(ranking),
        )

    def deciles(self) -> tuple[Decile, ...]:
        cases = np.bincount(self._decile_of_case[self._decile_of_case >= 0], minlength=DECILES)
        deciles = []
        for decile in range(DECILES):
            popularity = self._popularity[self._decile_of == decile]
            deciles.append(
                Decile(
                    items=len(popularity),
                    cases=int(cases[decile]),
                    lowest=int(popularity.min(initial=np.iinfo(np.int32).max))
                    if len(popularity)
                    else 0,
                    highest=int(popularity.max(initial=0)),
                )
            )
        return tuple(deciles)

    def _decile_scores(self, ranking: Ranking) -> tuple[DecileScore, ...]:
        k = self._compared.k
        reciprocal, hits = ranking.reciprocal(k), ranking.hits(k)
        scores = []
        for decile in range(DECILES):
            among = self._decile_of_case == decile
            scores.append(
                DecileScore(
                    mrr=float(reciprocal[among].mean()) if among.any() else 0.0,
                    hit_rate=float(hits[among].mean()) if among.any() else 0.0,
                )
            )
        return tuple(scores)


def _interval(numbers: tuple[float, float, float]) -> Interval:
    mean, low, high = numbers
    return Interval(mean=mean, low=low, high=high)
