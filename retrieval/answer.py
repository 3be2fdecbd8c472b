"""The answer to one entry of a batch, and why it may be short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from artifacts.accuracy import Accuracy
from artifacts.errors import ShelfmateError
from artifacts.neighbors import PAD_ROW
from retrieval.candidates import Candidate

A = TypeVar("A")


class Stage(IntEnum):
    """What can remove an item, in the order in which it is blamed."""

    PASSED = 0  # nothing removed it
    QUERY_ITEM = 1  # it is the query itself
    EXCLUDED = 2  # the caller excluded its id
    CATEGORY = 3  # outside the allowed categories
    AVAILABILITY = 4  # out of stock
    PRICE = 5  # outside the price band, or of unknown price
    MIN_SIMILARITY = 6  # too far from the query, or without a vector to tell
    TOO_CLOSE_TO_QUERY = 7  # the same thing in another wrapping
    TOO_CLOSE_TO_RESULT = 8  # shows nothing new beside a better item of the answer
    DUPLICATE = 9  # in the answer already, from an earlier source


FILTER_STAGES = (
    Stage.EXCLUDED,
    Stage.CATEGORY,
    Stage.AVAILABILITY,
    Stage.PRICE,
    Stage.MIN_SIMILARITY,
    Stage.TOO_CLOSE_TO_QUERY,
    Stage.TOO_CLOSE_TO_RESULT,
)
"""The stages that the caller or the bands of the space asked for."""


class ShortfallReason(StrEnum):
    """Why an answer is shorter than asked."""

    FILTERED = "filtered"  # filters removed the rest
    EXHAUSTED = "exhausted"  # the allowed sources hold no more
    ALL_SKIPPED = "all_skipped"  # every id of the entry was unknown
    DEADLINE = "deadline"  # the deadline passed and the caller wanted what there was


@dataclass(frozen=True, slots=True)
class Shortfall:
    """How far an answer falls short, and why."""

    requested: int
    returned: int
    reason: ShortfallReason


class UnusedAnchor(NamedTuple):
    """Why the hybrid was tried and borrowed nothing."""

    min_similarity: float
    """Content cosine that an anchor must have at least, in the item's category."""
    row: int = PAD_ROW
    """The popular item most alike; -1 where there is none."""
    similarity: float | None = None
    """Its content cosine with the item; None where there is none."""


NOTHING_REMOVED: Mapping[Stage, int] = MappingProxyType({})


class Answer(NamedTuple):
    """Candidates, best first."""

    candidates: Sequence[Candidate]
    """At most k."""
    shortfall: Shortfall | None = None
    """Set where there are fewer than k."""
    skipped: tuple[str, ...] = ()
    """Ids of the request that the snapshot does not know."""
    removed: Mapping[Stage, int] = NOTHING_REMOVED
    """Items that each stage removed; a stage that removed none may be absent."""
    similarities: Sequence[float] = ()
    """Input cosine of each candidate with the query, NaN where one of the two has no vector; empty
    unless the call asked for debug."""
    unused_anchor: UnusedAnchor | None = None
    """Set where the hybrid was tried and no anchor was alike enough."""

    @property
    def says_no_more(self) -> bool:
        """Whether there is nothing to tell of it, outside debug, but its candidates."""
        return self.shortfall is None and not self.skipped and self.unused_anchor is None


Outcome: TypeAlias = Answer | ShelfmateError
"""What became of one entry: errors are values here, so that no entry fails another."""


class BatchOutcomes(NamedTuple, Generic[A]):
    """Outcomes of a batch, in the order of its entries."""

    outcomes: Sequence[A | ShelfmateError]
    """One for each entry."""
    serving_config: str
    """Name of the config that answered."""
    partial: bool = False
    """The deadline passed, and some entries hold only what was ready by then."""
    accuracy: Accuracy = Accuracy.BALANCED
    """Effort of the searches of entries that asked for none of their own."""
    degraded: bool = False
    """Less was done than was asked, because of the server's load."""
    experiment_label: str = ""
    """`experiment/arm` that assigned the config; empty where none did."""


BatchAnswer: TypeAlias = BatchOutcomes[Answer]
"""Of a batch that asks for candidates."""
