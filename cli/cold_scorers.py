"""What can be recommended beside an item that no session has held."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from artifacts.arrays import FloatMatrix, FloatVector, IntVector, unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.relation import Relation
from trainer.scorers import NOT_A_CANDIDATE
from trainer.settings import Settings

LEAST_LIKENESS = 1e-6
"""Cosine at or below which two texts share nothing."""
MEAN_OF = 3
"""Neighbours whose vectors stand in for that of a new item; three as at Airbnb (Grbovic and Cheng
2018, section 3.3)."""


class HybridThresholds(Settings):
    """When the hybrid trusts an anchor."""

    min_sessions: int = Field(default=20, ge=0)
    """Sessions that hold an item before it can be an anchor."""
    min_similarity: float = Field(default=0.0, ge=-1, le=1)
    """Cosine of the content vectors below which the popular items of the category are shown."""
    anchors: int = Field(default=1, ge=1)
    """Popular items most alike whose lists are mixed by likeness, those that are alike enough; 1
    takes the nearest one's list."""
    categories: dict[str, float] = Field(default_factory=dict)
    """Cosines by top category, where another one than `min_similarity` does better."""


@dataclass(frozen=True, slots=True)
class ColdWorld:
    """What the methods know.

    Attributes:
        cf: collaborative vectors of the items that were seen, asymmetric.
        content: content vectors of all items.
        counts: (v,) training sessions that hold each item.
        categories: (v,) int32 code of each item's top category.
        names: name of each code.
    """

    cf: EmbeddingTable
    content: EmbeddingTable
    counts: IntVector
    categories: IntVector
    names: tuple[str, ...]
    rows: IntVector = field(init=False)
    """Candidates: items with a collaborative vector."""
    _content: FloatMatrix = field(init=False)

    def __post_init__(self) -> None:
        vectors = np.zeros((len(self.counts), self.content.dim), dtype=np.float32)
        vectors[self.content.rows] = unit_rows(self.content.vectors)
        object.__setattr__(self, "rows", self.cf.rows)
        object.__setattr__(self, "_content", vectors)

    def likeness(self, queries: IntVector) -> FloatMatrix:
        """Return (q, m) cosines of content vectors with all candidates; 0 where one has none."""
        likeness: FloatMatrix = self._content[queries] @ self._content[self.rows].T
        return likeness

    def popular(self, queries: IntVector) -> FloatMatrix:
        """Return (q, m) counts of the candidates, those of the query's category before all others."""
        counts: FloatVector = self.counts[self.rows].astype(np.float32)
        same = self.categories[queries][:, None] == self.categories[self.rows]
        scores: FloatMatrix = counts + np.where(same, counts.max() + 1, 0).astype(np.float32)
        return scores


class ColdScorer(Protocol):
    """Scores candidates for items that need not be candidates themselves.

    Attributes:
        name: name of the method in reports.
        rows: (m,) int32 vocabulary rows of the candidates, strictly ascending.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see the class

    @property
    def rows(self) -> IntVector: ...  # noqa: D102 - see the class

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return (q, m) float32, higher is better, -inf for what is no candidate."""
        ...


@dataclass(frozen=True, slots=True)
class PopularInCategory:
    """The items of the same top category that most sessions hold, then those of the shop."""

    world: ColdWorld
    name: str = "popular in category"

    @property
    def rows(self) -> IntVector:
        """Candidates."""
        return self.world.rows

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return counts, raised within the category."""
        return self.world.popular(queries)


@dataclass(frozen=True, slots=True)
class ContentOnly:
    """The items whose content is most alike."""

    world: ColdWorld
    name: str = "content alone"

    @property
    def rows(self) -> IntVector:
        """Candidates."""
        return self.world.rows

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return cosines."""
        return self.world.likeness(queries)


@dataclass(frozen=True, slots=True)
class NearestMean:
    """What follows the mean of the collaborative vectors of the items most alike in content."""

    world: ColdWorld
    name: str = "nearest CF mean"

    @property
    def rows(self) -> IntVector:
        """Candidates."""
        return self.world.rows

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return inner products."""
        cf = self.world.cf
        likeness = self.world.likeness(queries)
        most = min(MEAN_OF, likeness.shape[1])
        nearest = np.argpartition(-likeness, most - 1, axis=1)[:, :most]
        products: FloatMatrix = (
            cf.vectors[nearest].mean(axis=1) @ cf.targets(Relation.CONTINUATIONS).T
        )
        return products


@dataclass(frozen=True, slots=True)
class Hybrid:
    """The collaborative lists of the popular items that are most alike in content: the anchors.

    Where no anchor is alike enough, the popular items of the category.
    """

    world: ColdWorld
    thresholds: HybridThresholds
    name: str = "hybrid"

    @property
    def rows(self) -> IntVector:
        """Candidates."""
        return self.world.rows

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return inner products of anchors and candidates, or counts.

        A single anchor is no candidate, since no item stands in its own list.
        """
        world, cf = self.world, self.world.cf
        anchors, likeness = self._anchors(queries)  # (q, a) both, the most alike first
        least = self._least(queries)
        weights = np.where(likeness >= least[:, None], likeness, 0)
        sums = weights.sum(axis=1, keepdims=True)
        weights = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
        asking = np.einsum("qa,qad->qd", weights, cf.vectors[anchors])
        scores: FloatMatrix = asking @ cf.targets(Relation.CONTINUATIONS).T
        if anchors.shape[1] == 1:
            scores[np.arange(len(queries)), anchors[:, 0]] = NOT_A_CANDIDATE
        far = likeness[:, 0] < least
        scores[far] = world.popular(queries[far])
        return scores

    def _least(self, queries: IntVector) -> FloatVector:
        """Return (q,) the cosine that an anchor must have for each query."""
        by_code = np.full(len(self.world.names), self.thresholds.min_similarity, dtype=np.float32)
        for name, least in self.thresholds.categories.items():
            by_code[self.world.names.index(name)] = least
        wanted: FloatVector = by_code[self.world.categories[queries]]
        return np.maximum(wanted, np.float32(LEAST_LIKENESS))

    def _anchors(self, queries: IntVector) -> tuple[NDArray[np.intp], FloatMatrix]:
        likeness = self.world.likeness(queries)
        rare = self.world.counts[self.world.rows] < self.thresholds.min_sessions
        likeness[:, rare] = NOT_A_CANDIDATE
        most = min(self.thresholds.anchors, likeness.shape[1])
        nearest = np.argpartition(-likeness, most - 1, axis=1)[:, :most]
        near = np.take_along_axis(likeness, nearest, axis=1)
        order = np.argsort(-near, axis=1, kind="stable")
        return (
            np.take_along_axis(nearest, order, axis=1),
            np.take_along_axis(near, order, axis=1),
        )
