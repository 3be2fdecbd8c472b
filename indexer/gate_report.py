"""What the publishing gate measured, and its verdict."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from artifacts.relation import Relation
from indexer.config import GateConfig
from indexer.difference_report import Difference

GATE_PAGE_NAME = "gate.md"
"""The report as people read it, beside the manifest."""

FROZEN = ConfigDict(frozen=True, extra="forbid")


class IndexRecall(BaseModel):
    """Recall of one index against exact search."""

    model_config = FROZEN

    space: str
    relation: Relation
    category: str
    """Top category, or `*` for all of them."""
    kind: str
    """Name of the backend."""
    queries: int
    """Items sampled as queries."""
    recall: float
    """Recall@10, the item itself left out; a score equal to the tenth counts as found."""
    visit_recall: float | None = None
    """The same over visits in place of items, so that popular items count for more."""

    @property
    def lowest(self) -> float:
        """Return the lower of the two."""
        return self.recall if self.visit_recall is None else min(self.recall, self.visit_recall)


class TableCoverage(BaseModel):
    """How much of the catalogue has precomputed neighbours."""

    model_config = FROZEN

    space: str
    relation: Relation
    items: int
    """Items with at least one neighbour."""
    share: float
    """Their share of the catalogue."""


class SpaceWithout(BaseModel):
    """Categories of which a space knows no item."""

    model_config = FROZEN

    space: str
    categories: tuple[str, ...]


class GateReport(BaseModel):
    """Measurements of a snapshot beside the thresholds that they are held against."""

    model_config = FROZEN

    passed: bool
    failures: tuple[str, ...]
    """A sentence for each threshold that was missed."""
    thresholds: GateConfig
    recalls: tuple[IndexRecall, ...]
    """One for each index that is not exact."""
    coverage: tuple[TableCoverage, ...]
    """One for each table of precomputed neighbours."""
    without_vectors: tuple[SpaceWithout, ...]
    """Reported, never a failure: a space need not know every category."""
    difference: Difference | None = None
    """From the snapshot that was in service when this one was built; None if there was none."""

    def to_markdown(self) -> str:
        """Return the report as a page for people."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"# Gate: {'passed' if self.passed else 'FAILED'}\n"
        yield from (f"- {failure}" for failure in self.failures)
        if self.recalls:
            yield "\n| index | engine | recall@10 | of visits | queries |\n|---|---|---|---|---|"
        for entry in self.recalls:
            where = f"{entry.space} {entry.relation} {entry.category}"
            visits = "-" if entry.visit_recall is None else f"{entry.visit_recall:.3f}"
            yield f"| {where} | {entry.kind} | {entry.recall:.3f} | {visits} | {entry.queries} |"
        if self.coverage:
            yield "\n| table | items with neighbours | share of the catalogue |\n|---|---|---|"
        for covered in self.coverage:
            name = f"{covered.space} {covered.relation}"
            yield f"| {name} | {covered.items:,} | {covered.share:.1%} |"
        for without in self.without_vectors:
            yield f"\nNo vectors of {without.space} in: {', '.join(without.categories)}"
        if self.difference is None:
            yield "\nNo snapshot was in service to compare with."
        else:
            yield f"\n## Difference\n\n{self.difference.to_markdown()}"
