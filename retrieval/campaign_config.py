"""Settings of a campaign."""

from pydantic import BaseModel, ConfigDict, Field

from retrieval.queries import MAX_K


class CampaignConfig(BaseModel):
    """What every user gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    k: int = Field(default=10, ge=1, le=MAX_K)
    """Items for a user; fewer where the exclusions leave fewer."""
    exclude_taken: bool = True
    """Leave out what the user took in training."""
    users_per_part: int = Field(default=10_000, ge=1)
    """Users of one file; an interrupted campaign repeats the part that it was writing."""
    block_mb: int = Field(default=64, ge=1)
    """Megabytes of scores that are held at a time."""
    threads: int | None = Field(default=None, ge=1)
    """Threads that pick the best; None uses every core. Scoring uses those of NumPy's BLAS."""
