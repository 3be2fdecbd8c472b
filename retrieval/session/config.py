"""How visits become recommendations: the table `session` of a serving config."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from retrieval.candidates import Source
from retrieval.mixing.method import Mixing
from retrieval.queries import EventKind, SessionStrategy

Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
HalfLife = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SessionList(StrEnum):
    """What an answer may be mixed from."""

    STRATEGY = "strategy"  # what the strategy finds, one list or several
    SESSION_KNN = "session_knn"  # what sessions like this one hold
    CO_OCCURRENCE = "co_occurrence"  # what shares sessions with the visited items


FURTHER = {
    SessionList.SESSION_KNN: Source.SESSION_KNN,
    SessionList.CO_OCCURRENCE: Source.CO_OCCURRENCE,
}


class KindWeights(BaseModel):
    """What a visit of each kind weighs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    view: Weight = 1.0
    """Looked at."""
    cart: Weight = 2.0
    """Put into the cart."""
    purchase: Weight = 3.0
    """Bought."""

    def of(self, kind: EventKind) -> float:
        """Return the weight of a kind."""
        match kind:
            case EventKind.VIEW:
                return self.view
            case EventKind.CART:
                return self.cart
            case EventKind.PURCHASE:
                return self.purchase


class SessionConfig(BaseModel):
    """One way to answer sessions: the TOML table `[serving.<name>.session]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: SessionStrategy = SessionStrategy.AGGREGATE
    """How visits become lists, for calls that name no strategy."""
    kind_weights: KindWeights = KindWeights()
    """What a visit weighs by what was done."""
    half_life_s: HalfLife | None = 1_800.0
    """Seconds before the last visit at which one weighs half, where all carry times; none: no decay."""
    half_life_visits: HalfLife | None = 3.0
    """The same in visits, where they do not all carry times."""
    mixing: Mixing = Mixing.WEIGHTED
    """How several lists become one."""
    lists: dict[SessionList, Weight] = Field(
        default_factory=lambda: {SessionList.STRATEGY: 1.0}, min_length=1
    )
    """What is mixed, and how much each counts; the lists of the strategy share its weight."""
    max_lists: int = Field(default=10, ge=1, le=100)
    """Visited items whose lists are interleaved, the heaviest ones."""
    max_interests: int = Field(default=3, ge=1, le=20)
    """Interests of a session, the heaviest ones."""
    interest_distance: float = Field(default=1.0, ge=0, le=100, allow_inf_nan=False)
    """Ward distance of unit vectors up to which visits are one interest."""
    calibration: float = Field(default=0.5, ge=0, le=1)
    """How strongly calibrated mixing holds to the categories of the visits: 0 not at all, 1 to
    nothing else."""

    @field_validator("lists")
    @classmethod
    def _check_lists(cls, lists: dict[SessionList, float]) -> dict[SessionList, float]:
        """Refuse what nothing could be mixed from."""
        if not any(lists.values()):
            raise ValueError("expected a list with a weight above 0, got none")
        return lists

    @property
    def further_sources(self) -> dict[SessionList, Source]:
        """The lists beside those of the strategy, and what makes them."""
        return {name: source for name, source in FURTHER.items() if self.weight_of(name)}

    def weight_of(self, name: SessionList) -> float:
        """Return how much a list counts, 0 if it is not mixed in."""
        return self.lists.get(name, 0.0)
