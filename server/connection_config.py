"""Settings of connections: the TOML table `[server.connections]`."""

from pydantic import BaseModel, ConfigDict, Field


class ConnectionsConfig(BaseModel):
    """When a connection is given up on: its caller may be gone without a word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    handshake_s: float = Field(default=20.0, gt=0)
    """Seconds that a new connection may take to speak HTTP/2, and TLS before."""
    keepalive_s: float = Field(default=60.0, ge=0)
    """Seconds of silence after which a caller is asked whether it is still there; 0 never asks."""
    keepalive_timeout_s: float = Field(default=20.0, gt=0)
    """Seconds that it may take to say so."""
    least_ping_s: float = Field(default=10.0, ge=0)
    """Callers may ask the same of the server this often; who asks more often is sent away."""
