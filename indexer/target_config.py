"""What a search is to reach, from which its backend is chosen."""

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

EngineName: TypeAlias = Literal["exact", "annoy", "faiss", "simhash"]

DEFAULT_RECALL = 0.95


class TargetConfig(BaseModel):
    """What the search of a space is to reach; every part finds its backend by measuring."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recall: float | None = Field(default=None, gt=0, le=1)
    """Recall@10 to be reached as fast as possible. 0.95 where nothing but memory is limited."""
    latency_ms: float | None = Field(default=None, gt=0)
    """Milliseconds a query may take on one thread; the best recall within them is looked for."""
    memory_mb: float | None = Field(default=None, gt=0)
    """Megabytes (10^6 bytes) that the index of a part may have, its vectors included."""
    engines: tuple[EngineName, ...] = Field(default=("exact", "faiss", "simhash"), min_length=1)
    """Engines to choose from."""
    batch: PositiveInt = 1
    """Queries of a call, when time is measured."""
    queries: PositiveInt = 1000
    """Vectors of the part that are sampled as queries."""
    time_s: float = Field(default=300.0, gt=0)
    """Seconds after which no further index is built to be measured, for each part."""

    @model_validator(mode="after")
    def _wants_one_thing(self) -> "TargetConfig":
        if self.recall is not None and self.latency_ms is not None:
            raise ValueError("expected recall or latency_ms, got both; the other one is measured")
        if self.recall is self.latency_ms is self.memory_mb is None:
            raise ValueError("expected recall, latency_ms or memory_mb, got none of them")
        return self
