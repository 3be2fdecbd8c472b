"""How well each method predicts held-out sessions, with intervals."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Interval(BaseModel):
    """A mean and its bootstrap interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    """Over all sessions."""
    low: float
    """Lower end."""
    high: float
    """Upper end."""

    @property
    def excludes_zero(self) -> bool:
        """Tell whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


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
    """Share of sessions whose next item is in the list."""
    coverage: float
    """Share of all items that stand in the list of at least one query."""


class Difference(BaseModel):
    """Mean reciprocal rank of one method minus that of another, session by session."""

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
    k: int
    """Length of the lists."""
    confidence: float
    """Probability that the intervals claim."""
    sessions: int
    """Held-out sessions, all of them scored."""
    items: int
    """Items of the vocabulary; coverage is a share of these."""
    methods: tuple[MethodResult, ...]
    """Best first."""
    differences: tuple[Difference, ...]
    """Of each pair of methods, the better one first."""

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return self.model_dump(mode="json")

    def to_text(self) -> str:
        """Return the report as a table for people."""
        width = max(len("method"), *(len(result.method) for result in self.methods))
        scores = f"{f'MRR@{self.k}':<24}{f'HR@{self.k}':<24}"
        lines = [
            f"Next item of {self.sessions:,} held-out sessions among {self.items:,} items, "
            f"{self.confidence:.0%} intervals",
            f"{'method':<{width}}  {scores}{f'coverage@{self.k}'}",
        ]
        for result in self.methods:
            cells = f"{_cell(result.mrr):<24}{_cell(result.hit_rate):<24}"
            lines.append(f"{result.method:<{width}}  {cells}{result.coverage:.3f}")
        return "\n".join([*lines, *self._against_the_best()])

    def _against_the_best(self) -> list[str]:
        best = self.methods[0].method
        return [
            f"{best} - {pair.against}: MRR {pair.mrr.mean:+.4f} "
            f"[{pair.mrr.low:+.4f}, {pair.mrr.high:+.4f}]"
            for pair in self.differences
            if pair.method == best
        ]


def _cell(interval: Interval) -> str:
    return f"{interval.mean:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
