"""Ordering by the ranking model: the table `rerank` of a serving config."""

from pydantic import BaseModel, ConfigDict, Field

from retrieval.queries import MAX_K


class RerankConfig(BaseModel):
    """The last stage of answers: the TOML table `[serving.<name>.rerank]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: int = Field(default=100, ge=1, le=MAX_K)
    """Items fetched to choose from, where fewer are wanted; where more are, as many as those."""
