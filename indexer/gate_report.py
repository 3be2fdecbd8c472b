"""What the publishing gate measured, and its verdict."""

from pydantic import BaseModel, ConfigDict

from artifacts.relation import Relation
from indexer.config import GateConfig

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
