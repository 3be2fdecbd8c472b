"""Named behaviours of the recommender."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from artifacts.accuracy import Accuracy
from artifacts.relation import Relation
from retrieval.candidates import Source
from retrieval.experiments import ExperimentConfig, Name
from retrieval.queries import MAX_K
from retrieval.ranking.config import RerankConfig
from retrieval.session.config import SessionConfig
from retrieval.session_knn_config import SessionKnnConfig

DEFAULT_NAME = "default"


class ServingConfig(BaseModel):
    """One named behaviour, such as `offer_page`: the TOML table `[serving.<name>]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: str = Field(default="cf", min_length=1)
    """Space whose vectors and neighbour tables are used."""
    relation: Relation = Relation.ALTERNATIVES
    """Relation of calls that name none."""
    sources: tuple[Source, ...] = (Source.PRECOMPUTED, Source.LIVE, Source.POPULAR)
    """Sources in the order in which they are tried; each fills what the ones before left open."""
    accuracy: Accuracy = Accuracy.BALANCED
    """Effort of searches for calls that name none."""
    k: int = Field(default=10, ge=1, le=MAX_K)
    """Items returned to calls that name no number."""
    available_only: bool = False
    """Leave out what is out of stock, whatever a caller's filter says of it."""
    session_knn: SessionKnnConfig = SessionKnnConfig()
    """How similar sessions are found and what they vote for."""
    session: SessionConfig = SessionConfig()
    """How visits become recommendations."""
    rerank: RerankConfig | None = None
    """Order answers by the snapshot's ranking model; absent: the order of the sources."""

    @field_validator("sources")
    @classmethod
    def _check_sources(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        """Refuse what no request could be answered with."""
        if not sources:
            raise ValueError("expected at least one source, got none")
        if len(set(sources)) != len(sources):
            raise ValueError(f"expected distinct sources, got {[str(s) for s in sources]}")
        return sources


class RetrievalConfig(BaseModel):
    """All named behaviours and the one that unnamed calls get."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    serving: dict[Annotated[str, Field(min_length=1)], ServingConfig] = Field(
        default_factory=lambda: {DEFAULT_NAME: ServingConfig()}, min_length=1
    )
    """Behaviours by name."""
    default_serving: str = ""
    """Name of the behaviour of calls that name none; empty: the first one."""
    experiments: dict[Name, ExperimentConfig] = {}
    """Experiments by name, for calls that name no behaviour; of several the first that has an arm for
    the visitor counts."""

    @model_validator(mode="after")
    def _check_arms(self) -> Self:
        """Refuse an arm whose visitors would get nothing."""
        for name, experiment in self.experiments.items():
            for label, arm in experiment.arms.items():
                if arm.serving_config not in self.serving:
                    raise ValueError(
                        f"experiments.{name}.arms.{label}.serving_config: expected one of "
                        f"{sorted(self.serving)}, got {arm.serving_config!r}"
                    )
        return self

    @model_validator(mode="after")
    def _check_default(self) -> Self:
        """Refuse a default that names nothing."""
        if self.default_serving and self.default_serving not in self.serving:
            raise ValueError(
                f"default_serving: expected one of {sorted(self.serving)}, "
                f"got {self.default_serving!r}"
            )
        return self

    @property
    def default_name(self) -> str:
        """Name of the behaviour of calls that name none."""
        return self.default_serving or next(iter(self.serving))
