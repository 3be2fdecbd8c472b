"""Settings of a serving process: the TOML table `[server]`."""

from pydantic import BaseModel, ConfigDict, Field


class ServerConfig(BaseModel):
    """Where a server listens and how much it takes on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address or name to listen on; `0.0.0.0` for all IPv4 addresses, `::` for all."""
    port: int = Field(default=50051, ge=0, le=65535)
    """Port to listen on; 0 picks a free one."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that answer on the port, each on one core; with more than one, a further process
    keeps them running."""
    max_message_bytes: int = Field(default=64 << 20, ge=1 << 10)
    """Largest message in bytes, in and out."""
    max_concurrent_calls: int = Field(default=1_000, ge=1)
    """Recommender calls in flight; further ones are refused with RESOURCE_EXHAUSTED."""
    drain_s: float = Field(default=10.0, ge=0)
    """Seconds that calls in flight may take to finish after SIGTERM or SIGINT."""
    search_threads: int = Field(default=2, ge=1)
    """Threads that search; more than there are cores only adds waiting."""
    reflection: bool = True
    """Whether callers may ask for the service definitions."""
