"""Settings of bands: what is too close to the source or to a better item, and what is too far."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

Cosine: TypeAlias = Annotated[float, Field(ge=-1, le=1)]


class Band(BaseModel):
    """Thresholds of one list, always cosines of input vectors; None sets no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_to_source: Cosine | None = None
    """Likeness to the source from which on an item is the same thing in another wrapping."""
    max_between: Cosine | None = None
    """Likeness to a better item of the list from which on an item shows nothing new."""
    min_similarity: Cosine | None = None
    """Likeness to the source below which a short list is better than the item."""

    @model_validator(mode="after")
    def _leaves_something(self) -> "Band":
        low, high = self.min_similarity, self.max_to_source
        if low is not None and high is not None and low >= high:
            raise ValueError(
                f"min_similarity {low} is not below max_to_source {high}: nothing passes"
            )
        return self


class BandsConfig(Band):
    """Thresholds of a space, and of the categories that need others."""

    categories: Mapping[str, Band] = {}
    """By top category, thresholds in place of those of the space, all three of them."""
    most_hits: PositiveInt = 20_000
    """Hits of a search looked at before a list is left short. A minimum similarity of continuations,
    or one product many thousand times, would otherwise have the whole space scored for each item."""

    def of(self, category: str) -> Band:
        """Return the thresholds of lists of items of `category`."""
        return self.categories.get(category, self)
