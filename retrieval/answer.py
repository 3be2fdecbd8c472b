"""The answer to one entry of a batch, and why it may be short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TypeAlias

from artifacts.errors import ShelfmateError
from retrieval.candidates import Candidate


class Stage(IntEnum):
    """What can remove an item, in the order in which it is blamed."""

    PASSED = 0  # nothing removed it
    QUERY_ITEM = 1  # it is the query itself
    EXCLUDED = 2  # the caller excluded its id
    CATEGORY = 3  # outside the allowed categories
    PRICE = 4  # outside the price band, or of unknown price
    MIN_SIMILARITY = 5  # too far from the query, or without a vector to tell
    DUPLICATE = 6  # in the answer already, from an earlier source


FILTER_STAGES = (Stage.EXCLUDED, Stage.CATEGORY, Stage.PRICE, Stage.MIN_SIMILARITY)
"""The stages that the caller asked for."""


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


@dataclass(slots=True)
class Answer:
    """Candidates, best first.

    Not frozen: a frozen one costs four times as much to make, once for every entry. Nobody changes
    it once it is returned.

    Attributes:
        candidates: at most k.
        shortfall: set where there are fewer than k.
        skipped: ids of the request that the snapshot does not know.
        removed: items that each stage removed; a stage that removed none may be absent.
        similarities: input cosine of each candidate with the query, NaN where one of the two has
            no vector; empty unless the call asked for debug.
    """

    candidates: Sequence[Candidate]
    shortfall: Shortfall | None = None
    skipped: tuple[str, ...] = ()
    removed: Mapping[Stage, int] = field(default_factory=dict)
    similarities: Sequence[float] = ()


Outcome: TypeAlias = Answer | ShelfmateError
"""What became of one entry: errors are values here, so that no entry fails another."""


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """Outcomes of a batch, in the order of its entries.

    Attributes:
        outcomes: one for each entry.
        serving_config: name of the config that answered.
        partial: the deadline passed, and some entries hold only what was ready by then.
    """

    outcomes: Sequence[Outcome]
    serving_config: str
    partial: bool = False
