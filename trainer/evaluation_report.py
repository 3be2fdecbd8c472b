"""How well each method predicts held-out sessions, with intervals."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class Protocol(StrEnum):
    """What is predicted from what."""

    LAST_STEP = "last-step"
    """The last item of a session from the one before it."""
    EVERY_STEP = "every-step"
    """Every item but the first from all that came before it."""


class Interval(BaseModel):
    """A mean and its bootstrap interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    """Over all cases."""
    low: float
    """Lower end."""
    high: float
    """Upper end."""

    @property
    def excludes_zero(self) -> bool:
        """Tell whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


class Decile(BaseModel):
    """A tenth of the items by popularity, and the cases whose next item is one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: int
    """Items in it."""
    cases: int
    """Cases whose target is one of them."""
    lowest: int
    """Training sessions that hold the least popular of them."""
    highest: int
    """Training sessions that hold the most popular of them."""


class DecileScore(BaseModel):
    """One method on the cases of one decile; 0 where there are none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mrr: float
    """Mean reciprocal rank."""
    hit_rate: float
    """Share of cases whose target is in the list."""


class MethodResult(BaseModel):
    """One method."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    """Its name."""
    items: int
    """Items that it can recommend."""
    mrr: Interval
    """Mean reciprocal rank of the next item, 0 beyond the list."""
    hit_rate: Interval
    """Share of cases whose next item is in the list."""
    ndcg: Interval
    """Mean of 1 / log2(rank + 1) of the next item, 0 beyond the list."""
    coverage: float
    """Share of all items that stand in at least one list."""
    gini: float
    """Gini coefficient of how often items are listed: 0 all alike, towards 1 always the same."""
    novelty: float
    """Mean self-information of listed items in bits; popular items carry little."""
    deciles: tuple[DecileScore, ...]
    """By popularity of the next item, least popular first."""


class Difference(BaseModel):
    """Mean reciprocal rank of one method minus that of another, case by case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    """The one."""
    against: str
    """The other."""
    mrr: Interval
    """The difference."""


class EvaluationReport(BaseModel):
    """Every method on the same sessions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prepared: str
    """Version of the data set."""
    protocol: Protocol
    """What is predicted from what."""
    k: int
    """Length of the lists."""
    confidence: float
    """Probability that the intervals claim."""
    sessions: int
    """Held-out sessions, all of them scored; they are what is resampled."""
    cases: int
    """Predictions; one a session, or one a step."""
    items: int
    """Items of the vocabulary; coverage is a share of these."""
    methods: tuple[MethodResult, ...]
    """Best first."""
    differences: tuple[Difference, ...]
    """Of each pair of methods, the better one first."""
    deciles: tuple[Decile, ...]
    """Tenths of the items, least popular first."""

    def method(self, name: str) -> MethodResult:
        """Return the result of a method that was compared."""
        return next(result for result in self.methods if result.method == name)

    def difference(self, method: str, against: str) -> Interval:
        """Return the mean reciprocal rank of `method` minus that of `against`."""
        for pair in self.differences:
            if (pair.method, pair.against) == (method, against):
                return pair.mrr
            if (pair.method, pair.against) == (against, method):
                return Interval(mean=-pair.mrr.mean, low=-pair.mrr.high, high=-pair.mrr.low)
        raise KeyError((method, against))

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return self.model_dump(mode="json")

    def to_text(self) -> str:
        """Return the report as tables for people."""
        return "\n".join([*self._scores(), *self._against_the_best(), "", *self._by_decile()])

    @property
    def _width(self) -> int:
        return max(len("method"), *(len(result.method) for result in self.methods))

    def _scores(self) -> list[str]:
        asked = "Next" if self.protocol is Protocol.LAST_STEP else f"{self.cases:,} next"
        at = f"@{self.k}"
        heads = "".join(f"{head + at:<24}" for head in ("MRR", "HR", "NDCG"))
        noun = "item" if self.protocol is Protocol.LAST_STEP else "items"
        lines = [
            f"{asked} {noun} of {self.sessions:,} held-out sessions among {self.items:,} items, "
            f"{self.confidence:.0%} intervals",
            f"{'method':<{self._width}}  {heads}{f'coverage{at}':<13}{'Gini':<7}novelty",
        ]
        for result in self.methods:
            scores = (result.mrr, result.hit_rate, result.ndcg)
            cells = "".join(f"{_cell(score):<24}" for score in scores)
            lines.append(
                f"{result.method:<{self._width}}  {cells}{result.coverage:<13.3f}"
                f"{result.gini:<7.3f}{result.novelty:.1f} bits"
            )
        return lines

    def _against_the_best(self) -> list[str]:
        best = self.methods[0].method
        return [
            f"{best} - {pair.against}: MRR {pair.mrr.mean:+.4f} "
            f"[{pair.mrr.low:+.4f}, {pair.mrr.high:+.4f}]"
            for pair in self.differences
            if pair.method == best
        ]

    def _by_decile(self) -> list[str]:
        bounds = [f"{decile.lowest:,}-{decile.highest:,}" for decile in self.deciles]
        heads = [f"{bound:>11}" for bound in bounds]
        cases = [f"{decile.cases:>11,}" for decile in self.deciles]
        lines = [
            f"MRR@{self.k} by popularity of the next item: tenths of the items, sessions that hold one",
            f"{'sessions':<{self._width}} {''.join(heads)}",
            f"{'cases':<{self._width}} {''.join(cases)}",
        ]
        for result in self.methods:
            cells = "".join(f"{score.mrr:>11.4f}" for score in result.deciles)
            lines.append(f"{result.method:<{self._width}} {cells}")
        return lines


def _cell(interval: Interval) -> str:
    return f"{interval.mean:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
