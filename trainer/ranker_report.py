"""How well the ranker orders candidates that it never saw, beside sources and fusions."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from trainer.evaluation_report import Decile, Interval

RANKER = "ranker"
"""Name of the trees among the methods."""


class RankedPart(BaseModel):
    """What a part of the table holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contexts: int
    """Contexts; one a position of a session."""
    candidates: int
    """Candidates of all of them."""
    times: int
    """Different times, which are sessions or near enough: they are what is resampled."""


class Ceiling(BaseModel):
    """What no order of the candidates can exceed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recall: float
    """Share of what came next that is a candidate."""
    contexts: float
    """Share of the contexts with a hit."""
    ndcg: float
    """NDCG of the best order of the candidates."""


class OrderResult(BaseModel):
    """One way to order candidates; contexts without a hit count 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    """Name of the source, of the fusion, or `ranker`."""
    ndcg: Interval
    """Mean NDCG."""
    mrr: Interval
    """Mean of 1 / rank of the first hit."""
    hit_rate: Interval
    """Share of contexts whose list holds a hit."""
    less_than_ranker: Interval
    """NDCG of the ranker minus this one's, context by context."""
    deciles: tuple[float, ...]
    """Mean NDCG by popularity of what came next, least popular first."""


class FusionResult(BaseModel):
    """A fusion and what it weighs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    """Its name among the methods."""
    weights: dict[str, float]
    """By source."""
    validation: float
    """NDCG on the validation part, which it was chosen by."""


class Importance(BaseModel):
    """What the trees made of a feature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: str
    """Its name."""
    gain: float
    """Share in what all splits took off the loss."""
    splits: int
    """Splits by it."""


class RankerReport(BaseModel):
    """The test part, ordered by each source, each fusion and the ranker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    """Version of the ranking table."""
    schema_name: str
    """Fingerprint of the feature schema."""
    k: int
    """Length of the lists for NDCG."""
    hits_k: int
    """Length of the lists for MRR and hit rate."""
    confidence: float
    """Probability that the intervals claim."""
    rounds: int
    """Trees of the ranker."""
    validation: float
    """Its NDCG on the validation part, which ended the training."""
    parts: dict[str, RankedPart]
    """`train`, `validation` and `test`, in the order of time."""
    ceiling: Ceiling
    """Of the test part."""
    fusions: tuple[FusionResult, ...]
    """Best on the validation part first; the first is what the ranker has to beat."""
    relative: Interval | None
    """NDCG of the ranker as a multiple of that fusion's; None where the fusion has nothing."""
    methods: tuple[OrderResult, ...]
    """Best first."""
    deciles: tuple[Decile, ...]
    """Tenths of the items; `cases` are contexts with a hit, by their hit of the highest grade."""
    importances: tuple[Importance, ...]
    """Greatest gain first."""

    @property
    def best_fusion(self) -> OrderResult:
        """The fusion that was best on the validation part, on the test part."""
        return self.method(self.fusions[0].method)

    def method(self, name: str) -> OrderResult:
        """Return the result of a method that was compared."""
        return next(result for result in self.methods if result.method == name)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return self.model_dump(mode="json")

    def to_text(self) -> str:
        """Return the report as tables for people."""
        return "\n".join([*self._about(), *self._scores(), *self._against_the_fusion()])

    def _about(self) -> list[str]:
        test, ceiling = self.parts["test"], self.ceiling
        return [
            f"{test.contexts:,} contexts of {test.times:,} times, {test.candidates:,} candidates, "
            f"{self.confidence:.0%} intervals",
            f"candidates hold {ceiling.recall:.1%} of what came next, and some of it in "
            f"{ceiling.contexts:.1%} of the contexts; their best order has NDCG@{self.k} "
            f"{ceiling.ndcg:.4f}",
        ]

    def _scores(self) -> list[str]:
        width = max(len(result.method) for result in self.methods)
        titles = (f"NDCG@{self.k}", f"MRR@{self.hits_k}", f"HR@{self.hits_k}")
        heads = "".join(f"{title:<24}" for title in titles)
        lines = [f"{'method':<{width}}  {heads}ranker's NDCG minus this"]
        for result in self.methods:
            scores = (result.ndcg, result.mrr, result.hit_rate)
            cells = "".join(f"{_cell(score):<24}" for score in scores)
            less = "" if result.method == RANKER else _signed(result.less_than_ranker)
            lines.append(f"{result.method:<{width}}  {cells}{less}".rstrip())
        return lines

    def _against_the_fusion(self) -> list[str]:
        fusion = self.fusions[0]
        weights = ", ".join(f"{source} {weight:.3g}" for source, weight in fusion.weights.items())
        lines = [f"{fusion.method} was chosen on the validation part; weights: {weights}"]
        if self.relative is not None:
            share = self.relative
            lines.append(
                f"ranker / {fusion.method}: {share.mean:.3f} [{share.low:.3f}, {share.high:.3f}]"
            )
        return lines


def _cell(interval: Interval) -> str:
    return f"{interval.mean:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


def _signed(interval: Interval) -> str:
    return f"{interval.mean:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"
