"""What a tuner tried, and why it chose what it chose."""

from pydantic import BaseModel, ConfigDict

from artifacts.accuracy import Accuracy
from indexer.config import BackendConfig
from indexer.target_config import TargetConfig

FROZEN = ConfigDict(frozen=True, extra="forbid")


class Trial(BaseModel):
    """One index and the search of it that suits the target best."""

    model_config = FROZEN

    vectors: int
    """Vectors of the index; fewer than the part has where it was a first look."""
    backend: BackendConfig
    """Build half and search half."""
    recall: float
    """Recall@10 on the sampled queries."""
    query_us: float
    """Microseconds a query."""
    build_s: float
    """Seconds of the build."""
    size_mb: float | None = None
    """Size of the index with its vectors, where memory is limited."""


class LevelSearch(BaseModel):
    """What an accuracy level came to."""

    model_config = FROZEN

    recall: float
    query_us: float


class Compared(BaseModel):
    """When kinds of index were last compared."""

    model_config = FROZEN

    vectors: int
    """Vectors that there were."""
    query_us: float
    """Microseconds a query of what was chosen."""


class TuningReport(BaseModel):
    """The table of what was tried."""

    model_config = FROZEN

    target: TargetConfig
    chosen: Trial
    reached: bool
    """Whether the target is reached."""
    why: str
    """One sentence."""
    levels: dict[Accuracy, LevelSearch]
    """What a search at each accuracy level reaches; none for an exact index."""
    trials: tuple[Trial, ...]
    """All that was tried, in order."""
    passed_over: tuple[str, ...]
    """What was not built over all vectors, and why."""
    compared: Compared | None = None
    """Set where that was for an earlier snapshot, whose choice still reaches the target."""
