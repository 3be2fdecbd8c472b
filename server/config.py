"""Settings of a serving process: the TOML table `[server]`."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.connection_config import ConnectionsConfig
from server.load_config import AdmissionConfig, BatchingConfig, BrownOutConfig
from server.observation.config import (
    LogsConfig,
    MetricsConfig,
    RecallProbeConfig,
    TracingConfig,
)
from server.security.config import AuthConfig, LimitsConfig, TlsConfig


class ServerConfig(BaseModel):
    """Where a server listens and how much it takes on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address or name to listen on; `0.0.0.0` for all IPv4 addresses, `::` for all."""
    port: int = Field(default=50051, ge=0, le=65535)
    """Port to listen on; 0 picks a free one."""
    admin_host: str = Field(default="127.0.0.1", min_length=1)
    """Address that the admin service listens on."""
    admin_port: int | None = Field(default=None, ge=0, le=65535)
    """Port of the admin service: unset, the first free one behind `port`; the same as `port`, and there
    is one listener for both, on `host`."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that answer on the port, each on one core; with more than one, a further process
    keeps them running."""
    max_message_bytes: int = Field(default=64 << 20, ge=1 << 10)
    """Largest message in bytes, in and out."""
    max_concurrent_calls: int = Field(default=1_000, ge=1)
    """Recommender calls in flight; further ones are refused with RESOURCE_EXHAUSTED."""
    drain_s: float = Field(default=10.0, ge=0)
    """Seconds that calls in flight may take to finish after SIGTERM or SIGINT."""
    dismiss_s: float = Field(default=0.4, ge=0)
    """Seconds after SIGTERM or SIGINT from which on callers are sent elsewhere, should calls be in flight
    still. What crosses that message on its way is cancelled."""
    search_threads: int = Field(default=2, ge=1)
    """Threads that search; more than there are cores only adds waiting."""
    watch_s: float = Field(default=0.5, ge=0)
    """Seconds between looks at which snapshot is current; 0 serves the first one to the end."""
    state_dir: Path | None = None
    """Folder on a disk of this host for what outlives a restart, which is what is known of stock;
    unset: `state` beside the folder of the snapshots."""
    reflection: bool = True
    """Whether callers may ask for the service definitions."""
    connections: ConnectionsConfig = ConnectionsConfig()
    """When a connection is given up on."""
    batching: BatchingConfig = BatchingConfig()
    """How searches of several calls are gathered."""
    admission: AdmissionConfig = AdmissionConfig()
    """When a search is refused at once."""
    brown_out: BrownOutConfig = BrownOutConfig()
    """When answers get cheaper."""
    tls: TlsConfig | None = None
    """Encryption of both listeners; unset, calls travel in the clear."""
    auth: AuthConfig = AuthConfig()
    """Credentials that are asked for."""
    limits: LimitsConfig = LimitsConfig()
    """How much one caller may ask for."""
    metrics: MetricsConfig = MetricsConfig()
    """Where Prometheus finds the metrics."""
    logs: LogsConfig = LogsConfig()
    """What is logged, and how."""
    tracing: TracingConfig = TracingConfig()
    """Whether calls are traced."""
    recall_probe: RecallProbeConfig = RecallProbeConfig()
    """How many live searches are held against exact ones."""

    @model_validator(mode="after")
    def _certificates_are_checked(self) -> Self:
        if self.auth.certificates and (self.tls is None or self.tls.client_ca is None):
            raise ValueError(
                "auth.certificates: expected tls.client_ca beside it, the authority that signs them"
            )
        return self

    @property
    def admin_is_public(self) -> bool:
        """Whether the admin service has no listener of its own."""
        return bool(self.port) and self.admin_port == self.port

    def anchored(self, base: Path) -> Self:
        """Return the settings with relative paths starting at `base`."""
        changes = {
            "tls": self.tls and self.tls.anchored(base),
            "auth": self.auth.anchored(base),
            "state_dir": self.state_dir and base / self.state_dir,
        }
        return self.model_copy(update=changes)
