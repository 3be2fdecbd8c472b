"""Settings of the hybrid's anchors: the table [index.anchors] of a shop file."""

from pydantic import BaseModel, ConfigDict, Field

from artifacts.anchors import AnchorThresholds

FROZEN = ConfigDict(frozen=True, extra="forbid")


class CategoryAnchors(BaseModel):
    """The table `[index.anchors.categories."<top category>"]`: what differs in one category."""

    model_config = FROZEN

    min_sessions: int | None = Field(default=None, ge=0)
    """Sessions before an item of the category is an anchor; None as everywhere."""
    min_similarity: float | None = Field(default=None, ge=-1, le=1)
    """Cosine below which an item of the category borrows nothing; None as everywhere."""


class AnchorsConfig(BaseModel):
    """The table `[index.anchors]`: which popular items lend their lists to items without one.

    `shelfmate cold-start` prints the three that matter.
    """

    model_config = FROZEN

    space: str = Field(default="content", min_length=1)
    """Space by which items are alike."""
    lists: str = Field(default="cf", min_length=1)
    """Space whose lists are borrowed; an item without a vector there is no anchor."""
    min_sessions: int = Field(default=20, ge=0)
    """Training sessions that hold an item before it is an anchor."""
    min_similarity: float = Field(default=0.0, ge=-1, le=1)
    """Input-to-input cosine of content below which nothing is borrowed."""
    anchors: int = Field(default=1, ge=1, le=100)
    """Popular items most alike that an item borrows from, mixed by likeness."""
    per_category: bool = True
    """Look for anchors in the item's own top category instead of the whole shop."""
    categories: dict[str, CategoryAnchors] = Field(default_factory=dict)
    """What differs, by top category."""

    def of(self, category: str) -> AnchorThresholds:
        """Return what holds in a top category."""
        own = self.categories.get(category, CategoryAnchors())
        return AnchorThresholds(
            min_sessions=self.min_sessions if own.min_sessions is None else own.min_sessions,
            min_similarity=(
                self.min_similarity if own.min_similarity is None else own.min_similarity
            ),
        )
