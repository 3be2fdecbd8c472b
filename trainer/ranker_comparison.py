"""From a ranking table to the report: fit, choose the fusion, and compare on the test part."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.progress import Progress
from artifacts.ranking_table import RankingTable
from trainer.bootstrap import Bootstrap
from trainer.config import EvaluateConfig
from trainer.evaluation_report import Decile, Interval
from trainer.fusion import FusionChoice, FusionKind, choose_fusion, source_scores
from trainer.list_gains import ListLengths, ListValues, ideal_gains, value_lists
from trainer.popularity_deciles import DECILES, popularity_deciles
from trainer.ranker_config import RankerConfig
from trainer.ranker_model import FittedRanker
from trainer.ranker_parts import RankerParts
from trainer.ranker_report import (
    RANKER,
    Ceiling,
    FusionResult,
    Importance,
    OrderResult,
    RankedPart,
    RankerReport,
)

COLUMNS = 3
"""Columns of the bootstrap a method: NDCG, reciprocal rank, hit."""


@dataclass(frozen=True, slots=True)
class RankerSettings:
    """What decides what is learnt and what is reported.

    Attributes:
        ranker: how trees are fitted, and the parts of the table.
        evaluate: `k` for reciprocal ranks and hits, and the bootstrap.
    """

    ranker: RankerConfig
    evaluate: EvaluateConfig

    @property
    def lengths(self) -> ListLengths:
        """How far down lists are looked at."""
        return ListLengths(self.ranker.k, self.evaluate.k)


@dataclass(frozen=True, slots=True)
class ComparedRanker:
    """What is compared.

    Attributes:
        table: version of the ranking table.
        parts: of it.
        fitted: trees of the train part.
        popularity: (v,) training sessions that hold each vocabulary row.
    """

    table: str
    parts: RankerParts
    fitted: FittedRanker
    popularity: IntVector


def compare_ranker(
    compared: ComparedRanker, settings: RankerSettings, *, progress: Progress
) -> RankerReport:
    """Order the test part by every source, every fusion and the trees, and compare them pairwise.

    The fusions are chosen on the validation part. Contexts without a hit count 0 for all. Times are
    resampled, since the positions of one session are no independent evidence.

    Cost: that of `choose_fusion` and of `Bootstrap.of` with three columns a method.
    """
    parts, grades = compared.parts, compared.fitted.grades
    gains = settings.ranker.gains_of(grades)
    progress.start("choose the fusion")
    choice = choose_fusion(parts.validation, gains, settings.ranker.k)
    progress.finish(f"{choice.fusions[0].kind}: NDCG@{settings.ranker.k} {choice.ndcg[0]:.4f}")
    progress.start("compare orders")
    orders = _orders(compared.fitted, choice, parts.test)
    values = {
        name: value_lists(parts.test, scores, gains, settings.lengths)
        for name, scores in orders.items()
    }
    summary = _Summary(compared, settings, values)
    report = summary.report(choice)
    found = report.method(RANKER).ndcg.mean
    progress.finish(f"NDCG@{report.k} {found:.4f}, best fusion {report.best_fusion.ndcg.mean:.4f}")
    return report


def fusion_name(kind: FusionKind) -> str:
    """Return the name of a fusion among the methods."""
    return f"fusion, {kind}"


def _orders(
    fitted: FittedRanker, choice: FusionChoice, test: RankingTable
) -> dict[str, NDArray[np.float64]]:
    sources = {name: source_scores(test, at) for at, name in enumerate(test.schema.sources)}
    fusions = {fusion_name(fusion.kind): fusion.scores(test) for fusion in choice.fusions}
    return {RANKER: fitted.scores(test), **fusions, **sources}


class _Summary:
    """Turns the values of all orders into the report."""

    def __init__(
        self,
        compared: ComparedRanker,
        settings: RankerSettings,
        values: Mapping[str, ListValues],
    ) -> None:
        self._compared = compared
        self._settings = settings
        self._values = values
        self._names = sorted(values, key=lambda name: -values[name].ndcg.mean())
        self._gains = settings.ranker.gains_of(compared.fitted.grades)
        self._bootstrap = self._resample()
        self._decile_of = popularity_deciles(compared.popularity)
        self._decile_of_context = self._parted()

    def report(self, choice: FusionChoice) -> RankerReport:
        parts, fitted = self._compared.parts, self._compared.fitted
        config = self._settings.ranker
        by_part = {"train": parts.train, "validation": parts.validation, "test": parts.test}
        fusion = self._column(fusion_name(choice.fusions[0].kind))
        ratio = self._bootstrap.ratio(self._column(RANKER), fusion)
        return RankerReport(
            table=self._compared.table,
            schema_name=fitted.schema.fingerprint,
            k=config.k,
            hits_k=self._settings.evaluate.k,
            confidence=self._settings.evaluate.confidence,
            rounds=fitted.rounds,
            validation=fitted.ndcg(parts.validation, config),
            parts={name: _part(table) for name, table in by_part.items()},
            ceiling=self._ceiling(),
            fusions=_fusions(choice, parts.test.schema.sources),
            relative=None if ratio is None else _interval(ratio),
            methods=tuple(self._method(name) for name in self._names),
            deciles=self._deciles(),
            importances=_importances(fitted),
        )

    def _resample(self) -> Bootstrap:
        """Resample times; columns 3 i to 3 i + 2 are NDCG, reciprocal rank and hits of method i."""
        _, unit = np.unique(self._compared.parts.test.when, return_inverse=True)
        columns = [
            np.bincount(unit, weights=column)
            for name in self._names
            for column in _columns(self._values[name])
        ]
        return Bootstrap.of(np.stack(columns, axis=1), self._settings.evaluate, np.bincount(unit))

    def _column(self, name: str) -> int:
        return COLUMNS * self._names.index(name)

    def _method(self, name: str) -> OrderResult:
        first = self._column(name)
        ndcg, mrr, hit_rate = (
            _interval(self._bootstrap.interval(first + at)) for at in range(COLUMNS)
        )
        return OrderResult(
            method=name,
            ndcg=ndcg,
            mrr=mrr,
            hit_rate=hit_rate,
            less_than_ranker=_interval(self._bootstrap.difference(self._column(RANKER), first)),
            deciles=tuple(self._decile_means(self._values[name].ndcg)),
        )

    def _ceiling(self) -> Ceiling:
        test, k = self._compared.parts.test, self._settings.ranker.k
        hits, missed = int((test.labels > 0).sum()), int(test.missed.sum())
        best, ideal = (ideal_gains(test, self._gains, k, missed=missed) for missed in (False, True))
        share = np.divide(best, ideal, out=np.zeros(len(test)), where=ideal > 0)
        return Ceiling(
            recall=hits / max(hits + missed, 1),
            contexts=float((~test.targets_missing).mean()),
            ndcg=float(share.mean()),
        )

    def _parted(self) -> NDArray[np.int64]:
        """Return the decile (q,) of the first hit of the highest grade; -1 without a hit."""
        test = self._compared.parts.test
        hits = np.flatnonzero(test.labels > 0)
        owner = np.searchsorted(test.offsets, hits, side="right") - 1
        # The last one written stays, so the best comes last.
        order = np.lexsort((-hits, test.labels[hits]))
        parted = np.full(len(test), -1, dtype=np.int64)
        parted[owner[order]] = self._decile_of[test.rows[hits[order]]]
        return parted

    def _deciles(self) -> tuple[Decile, ...]:
        popularity = np.asarray(self._compared.popularity)
        return tuple(
            _decile(popularity[self._decile_of == decile], int(cases))
            for decile, cases in enumerate(self._cases())
        )

    def _decile_means(self, ndcg: NDArray[np.float64]) -> NDArray[np.float64]:
        known = self._decile_of_context >= 0
        parted = self._decile_of_context[known]
        sums = np.bincount(parted, weights=ndcg[known], minlength=DECILES)
        return sums / np.maximum(self._cases(), 1)

    def _cases(self) -> NDArray[np.int64]:
        known = self._decile_of_context[self._decile_of_context >= 0]
        return np.bincount(known, minlength=DECILES)


def _columns(values: ListValues) -> tuple[NDArray[np.float64], ...]:
    return values.ndcg, values.reciprocal, values.hits


def _part(table: RankingTable) -> RankedPart:
    return RankedPart(
        contexts=len(table), candidates=len(table.rows), times=len(np.unique(table.when))
    )


def _fusions(choice: FusionChoice, sources: tuple[str, ...]) -> tuple[FusionResult, ...]:
    return tuple(
        FusionResult(
            method=fusion_name(fusion.kind),
            weights=dict(zip(sources, fusion.weights, strict=True)),
            validation=ndcg,
        )
        for fusion, ndcg in zip(choice.fusions, choice.ndcg, strict=True)
    )


def _importances(fitted: FittedRanker) -> tuple[Importance, ...]:
    gains, splits = fitted.importance("gain"), fitted.importance("split")
    shares = gains / max(float(gains.sum()), np.finfo(np.float64).tiny)
    order = np.argsort(-shares, kind="stable")
    return tuple(
        Importance(feature=fitted.schema.names[at], gain=float(shares[at]), splits=int(splits[at]))
        for at in order
    )


def _decile(popularity: IntVector, cases: int) -> Decile:
    return Decile(
        items=len(popularity),
        cases=cases,
        lowest=int(popularity.min()) if len(popularity) else 0,
        highest=int(popularity.max(initial=0)),
    )


def _interval(numbers: tuple[float, float, float]) -> Interval:
    mean, low, high = numbers
    return Interval(mean=mean, low=low, high=high)
