"""What callers ask for, free of any wire format.

Paths of fields in errors are those of `shelfmate.v1`, relative to the message named in each class.
What is made once for every call or entry is a tuple: a frozen dataclass costs several times as much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from artifacts.accuracy import Accuracy
from artifacts.arrays import FloatVector
from artifacts.relation import Relation
from retrieval.candidates import Source

MAX_BATCH = 1_000
MAX_K = 1_000
MAX_EXCLUDED = 10_000
MAX_WEIGHTED_ITEMS = 100
MAX_VISITS = 1_000
MAX_CANDIDATES = 1_000


class UnknownItemPolicy(StrEnum):
    """What to do with an id that the snapshot does not know."""

    FAIL = "fail"  # the entry fails
    SKIP = "skip"  # the id is left out and listed
    FALL_BACK = "fall_back"  # the id is listed, and the next source that can answers


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Prices that pass, in the shop's currency; None leaves a side open."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class NearDuplicateBand:
    """Input cosines from which on an item is left out; None leaves a side open."""

    max_similarity_to_query: float | None = None
    max_similarity_between_results: float | None = None


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """Which items may appear, as the caller says it (`Filter`)."""

    excluded_ids: Sequence[str] = ()
    allowed_categories: Sequence[str] = ()
    price_band: PriceBand | None = None
    min_similarity: float | None = None
    available_only: bool = False
    near_duplicates: NearDuplicateBand | None = None


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How an entry is to be answered; None leaves it to the batch, then to the serving config."""

    k: int | None = None
    filter: FilterSpec | None = None
    accuracy: Accuracy | None = None
    unknown_items: UnknownItemPolicy | None = None


NO_OPTIONS = AnswerOptions()


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What holds for a whole call.

    Attributes:
        serving_config: name; empty for the default, or for what an experiment assigns.
        debug: fill `Answer.similarities`.
        allow_partial: answer with what there is when the deadline passes between stages.
        visitor_id: stable id of the shopper or device, for experiments; never shown.
    """

    serving_config: str = ""
    debug: bool = False
    allow_partial: bool = False
    visitor_id: str = field(default="", repr=False)


DEFAULT_CALL = CallOptions()


@dataclass(frozen=True, slots=True)
class NewItem:
    """What is known of a product that is newer than the snapshot."""

    title: str = ""
    category_path: str = ""
    description: str = ""


class SimilarQuery(NamedTuple):
    """One product to recommend for (`SimilarQuery`)."""

    item_id: str
    new_item: NewItem | None = None
    options: AnswerOptions | None = None


class SimilarBatch(NamedTuple):
    """A batch of products; `relation` and `sources` left out are the serving config's."""

    queries: Sequence[SimilarQuery]
    call: CallOptions = DEFAULT_CALL
    defaults: AnswerOptions = NO_OPTIONS
    relation: Relation | None = None
    sources: Sequence[Source] = ()


@dataclass(frozen=True, slots=True)
class NearItem:
    """Search near the vector of an item."""

    item_id: str


@dataclass(frozen=True, slots=True, eq=False)
class NearVector:
    """Search near a vector, (d,) float32."""

    values: FloatVector


@dataclass(frozen=True, slots=True)
class NearItems:
    """Search near the weighted mean of items; negative weights push away."""

    item_ids: Sequence[str]
    weights: Sequence[float]


Near: TypeAlias = NearItem | NearVector | NearItems


class NeighborQuery(NamedTuple):
    """One search (`NeighborQuery`); `near` is None where the caller forgot it."""

    near: Near | None
    options: AnswerOptions | None = None


class NeighborBatch(NamedTuple):
    """A batch of searches; an empty `space` is the serving config's.

    Attributes:
        exact: compare with every vector instead of asking an index.
    """

    queries: Sequence[NeighborQuery]
    call: CallOptions = DEFAULT_CALL
    defaults: AnswerOptions = NO_OPTIONS
    space: str = ""
    relation: Relation | None = None
    exact: bool = False


class EventKind(StrEnum):
    """What a shopper did."""

    VIEW = "view"  # looked at the product
    CART = "cart"  # put it into the cart
    PURCHASE = "purchase"  # bought it


class Visit(NamedTuple):
    """Something that a shopper just did (`Visit`).

    Paths of fields in errors are those of `visits[i]`.
    """

    item_id: str
    kind: EventKind = EventKind.VIEW
    weight: float = 1.0
    """Multiplies the weight of `kind`; negative ones push away."""
    at_s: float | None = None
    """Seconds since 1970; None where the order of the visits is all that is known."""


class SessionStrategy(StrEnum):
    """How visits become recommendations."""

    AGGREGATE = "aggregate"  # one search with the weighted mean of the visited items' vectors
    INTERLEAVE = "interleave"  # the visited items' own lists, mixed
    INTERESTS = "interests"  # visits are clustered, one search a cluster, mixed


class SessionQuery(NamedTuple):
    """One shopper's recent visits, oldest first (`SessionQuery`)."""

    visits: Sequence[Visit]
    options: AnswerOptions | None = None


class SessionBatch(NamedTuple):
    """A batch of sessions; a `strategy` left out is the serving config's."""

    queries: Sequence[SessionQuery]
    call: CallOptions = DEFAULT_CALL
    defaults: AnswerOptions = NO_OPTIONS
    strategy: SessionStrategy | None = None


class UserQuery(NamedTuple):
    """One shopper (`UserQuery`); the id is never shown in logs or errors."""

    user_id: str
    visits: Sequence[Visit] = ()
    """Oldest first, for a shopper that the snapshot does not know."""
    exclude_history: bool = False
    """Leave out what the shopper's stored history holds."""
    options: AnswerOptions | None = None


class UserBatch(NamedTuple):
    """A batch of shoppers."""

    queries: Sequence[UserQuery]
    call: CallOptions = DEFAULT_CALL
    defaults: AnswerOptions = NO_OPTIONS


class RerankQuery(NamedTuple):
    """One list of candidates and the context to order it for (`RerankQuery`)."""

    item_ids: Sequence[str]
    """The candidates, distinct."""
    features: Sequence[Mapping[str, float]] = ()
    """What the caller knows of each candidate, by the names of the ranker's schema; empty where it
    sends nothing of any."""
    visits: Sequence[Visit] = ()
    """Oldest first."""
    item_id: str = ""
    """The product whose page this is; empty where there is none."""
    user_id: str = ""
    """The shopper; empty where unknown. It is never shown in logs or errors."""


class RerankBatch(NamedTuple):
    """A batch of candidate lists.

    Attributes:
        contributions: say what each feature added to each score.
    """

    queries: Sequence[RerankQuery]
    call: CallOptions = DEFAULT_CALL
    contributions: bool = False
