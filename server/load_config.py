"""Settings of what a server does under load: tables below `[server]`."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class BatchingConfig(BaseModel):
    """How searches of several calls are gathered: the TOML table `[server.batching]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_size: int = Field(default=32, ge=1, le=1_000)
    """Entries that are searched for together; calls with more have a search of their own, and 1
    turns gathering off."""
    max_wait_us: int = Field(default=0, ge=0, le=100_000)
    """Microseconds that a search waits for others to come, while they come faster than they are
    answered; a search that finds a thread idle never waits."""


class AdmissionConfig(BaseModel):
    """When a call or a search is refused at once: the TOML table `[server.admission]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_queued: int = Field(default=4_000, ge=1)
    """Entries that may wait for a search in one worker."""
    max_wait_ms: float = Field(default=250.0, gt=0)
    """Milliseconds that a search is expected to wait at most; the deadline of its call bounds it
    too."""
    max_pending_calls: int = Field(default=1_000, ge=3)
    """Calls of one worker that may wait inside gRPC before anything of ours sees them; from two thirds
    of it on more and more are ended by gRPC itself, with CANCELLED, for next to nothing."""


class BrownOutConfig(BaseModel):
    """When answers get cheaper: the TOML table `[server.brown_out]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    """Whether the server may do less than asked; every answer says so."""
    above_ms: float = Field(default=20.0, gt=0)
    """Milliseconds that searches wait for a thread, above which the server is under load."""
    below_ms: float = Field(default=5.0, ge=0)
    """Milliseconds of waiting below which it is not any more."""
    patience_s: float = Field(default=0.5, gt=0)
    """Seconds of load before the server does less, each time."""
    calm_s: float = Field(default=5.0, gt=0)
    """Seconds without load before it does more again, each time."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        """Refuse thresholds between which the server would swing."""
        if self.below_ms >= self.above_ms:
            raise ValueError(
                f"below_ms: expected less than above_ms ({self.above_ms}), got {self.below_ms}"
            )
        return self
