"""Settings of what is seen from outside: TOML tables below `[server]`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MetricsConfig(BaseModel):
    """Where Prometheus finds the metrics: the table `[server.metrics]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen on."""
    port: int | None = Field(default=None, ge=0, le=65535)
    """Port of the page `/metrics`; 0 picks a free one; unset, there is none."""


class LogsConfig(BaseModel):
    """What is logged, on standard error: the table `[server.logs]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["plain", "json"] = "plain"
    """`plain` for lines of key=value, `json` for one JSON object a line."""
    slow_ms: float = Field(default=500.0, gt=0)
    """Milliseconds from which on a call has a line of its own."""
    max_lines_s: float = Field(default=20.0, gt=0)
    """Lines a second, in each worker, about calls that were slow or failed; what is beyond is
    counted."""


class TracingConfig(BaseModel):
    """Spans by OpenTelemetry: the table `[server.tracing]`; needs the extra `tracing`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    """Whether there are any."""
    share: float = Field(default=1.0, ge=0, le=1)
    """Share of the calls that are traced where the caller has not decided it."""


class RecallProbeConfig(BaseModel):
    """Live searches that are held against exact ones: the table `[server.recall_probe]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(default=0.0, ge=0, le=1)
    """Share of the searches that are compared; 0 turns it off."""
    k: int = Field(default=10, ge=1, le=100)
    """Best hits of a search that are compared."""
