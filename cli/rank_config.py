"""Settings of the table that a ranker learns from."""

from pydantic import BaseModel, ConfigDict, Field

from artifacts.ranker import ListSettings


class RankConfig(BaseModel):
    """The table `[rank]`: which sessions candidates are gathered for, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fraction: float = Field(default=0.2, gt=0, lt=1)
    """Share of the training sessions that is held out: the last ones, or without a clock those that
    a seeded hash of their ids draws."""
    positions: int = Field(default=2, ge=1, le=1_000)
    """Places of a session, drawn by lot, at which candidates are gathered."""
    contexts: int = Field(default=20_000, ge=3)
    """Places of all sessions at most; beyond that sessions are drawn by lot."""
    ahead: int = Field(default=1, ge=1, le=1_000)
    """Further visits of the session that count as what came next: 1 where sessions have an order,
    all of them for baskets."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of hash and lots."""
    lists: ListSettings = ListSettings()
    """How the lists of a context are gathered, in training and in serving."""
