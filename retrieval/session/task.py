"""What all sessions of a batch have in common."""

from dataclasses import dataclass, field

from artifacts.errors import ConfigError, UnsupportedError
from artifacts.relation import Relation
from retrieval.candidates import Source
from retrieval.config import ServingConfig
from retrieval.plan import Plan
from retrieval.queries import SessionStrategy
from retrieval.session.config import SessionConfig
from retrieval.session_knn_config import SessionKnnConfig
from retrieval.similar_entry import SimilarTask
from retrieval.state import ServingState
from retrieval.visit_source import visit_source


@dataclass(frozen=True, slots=True)
class SessionTask:
    """What all sessions of a batch have in common.

    Attributes:
        state: the snapshot.
        space: space of the vectors and lists.
        relation: what a neighbour means.
        sources: of the lists of visited items, in the order in which they are tried; `POPULAR` fills
            what all of them leave open.
        plan: options of entries that set none.
        config: how visits become recommendations.
        strategy: how they do in this batch.
        session_knn: how similar sessions are found.
        debug: measure the similarity of each candidate.
        allow_partial: answer with what there is when the deadline passes.
        similar: how the list of a visited item is made; None where no source makes one.
    """

    state: ServingState
    space: str
    relation: Relation
    sources: tuple[Source, ...]
    plan: Plan
    config: SessionConfig
    strategy: SessionStrategy
    session_knn: SessionKnnConfig
    debug: bool = False
    allow_partial: bool = False
    similar: SimilarTask | None = field(init=False)

    def __post_init__(self) -> None:
        sources = tuple(source for source in self.sources if source is not Source.POPULAR)
        similar = None
        if sources:
            similar = SimilarTask(
                self.state, self.space, self.relation, sources, self.plan, self.session_knn
            )
        object.__setattr__(self, "similar", similar)

    @classmethod
    def of_config(cls, state: ServingState, name: str, config: ServingConfig) -> "SessionTask":
        """Return what a call gets that sets nothing but the name of a behaviour.

        Raises:
            ConfigError: the snapshot lacks what one of the lists is made of.
        """
        try:
            for source in config.session.further_sources.values():
                visit_source(state, source, config.session_knn)
        except UnsupportedError as error:
            raise ConfigError(f"[serving.{name}.session] lists: {error}") from error
        return cls(
            state=state,
            space=config.space,
            relation=config.relation,
            sources=config.sources,
            plan=Plan.of_config(state, config),
            config=config.session,
            strategy=config.session.strategy,
            session_knn=config.session_knn,
        )

    @property
    def searches(self) -> bool:
        """Whether vectors that are no item's can be searched near to."""
        return Source.LIVE in self.sources and (self.space, self.relation) in self.state.indices
