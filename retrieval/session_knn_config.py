"""Settings of session-kNN."""

from pydantic import BaseModel, ConfigDict, Field


class SessionKnnConfig(BaseModel):
    """How similar sessions are found and what they vote for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample: int = Field(default=500, ge=1)
    """Most recent sessions that share an item with the caller's and are compared with it; the
    paper's m. An item contributes at most what the table of recent sessions keeps of it."""
    neighbors: int = Field(default=100, ge=1)
    """Most similar of them that vote; the paper's k."""
    last_items: int = Field(default=9, ge=1, le=100)
    """Items of the caller's session that are looked at, from its end."""
