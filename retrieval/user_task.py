"""What the shoppers of a batch have in common."""

from dataclasses import dataclass, field

from indexer.space_index import SpaceIndex
from retrieval.candidates import Source
from retrieval.plan import Plan
from retrieval.session.config import SessionConfig
from retrieval.session.task import SessionTask
from retrieval.state import ServingState
from retrieval.user_space import UserSpace


@dataclass(frozen=True, slots=True)
class UserTask:
    """What the shoppers of a batch have in common.

    Attributes:
        users: the shoppers that the snapshot knows.
        index: its index of item factors.
        session: how visits are answered that the user space does not know; its options are those of
            the batch.
        visits: what visits weigh in a vector that is solved from them: as events do in training,
            whenever they were.
    """

    users: UserSpace
    index: SpaceIndex
    session: SessionTask
    visits: SessionConfig = field(init=False)

    def __post_init__(self) -> None:
        ageless = {"half_life_s": None, "half_life_visits": None}
        object.__setattr__(self, "visits", self.session.config.model_copy(update=ageless))

    @property
    def state(self) -> ServingState:
        """The snapshot."""
        return self.session.state

    @property
    def plan(self) -> Plan:
        """Options of entries that set none."""
        return self.session.plan

    @property
    def fills_up(self) -> bool:
        """Whether popular items fill what the search leaves open."""
        return Source.POPULAR in self.session.sources
