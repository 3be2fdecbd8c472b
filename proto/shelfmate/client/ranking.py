"""Candidates to be ordered, and their order, as plain values; both clients use this."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from shelfmate.client.answers import EntryError
from shelfmate.client.requests import Options, call_message
from shelfmate.client.responses import entry_error
from shelfmate.client.visits import Visits, visit_messages
from shelfmate.v1 import recommender_pb2 as pb

BIAS = "bias"
"""What the ranker's base value is called among the contributions."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item to be ranked, and what the caller knows of it.

    Attributes:
        item_id: the item.
        features: values by the names that the ranker's schema leaves to callers.
    """

    item_id: str
    features: Mapping[str, float] = field(default_factory=dict)


Candidates: TypeAlias = Sequence[str | Candidate]
"""Item ids, or candidates that say more."""


@dataclass(frozen=True, slots=True)
class CandidateList:
    """Candidates and the context to order them for.

    Attributes:
        candidates: 1 to 1,000, distinct.
        visits: what was just visited, oldest first.
        item_id: the product whose page this is; empty where there is none.
        user_id: the shopper; empty where unknown.
    """

    candidates: Candidates
    visits: Visits = ()
    item_id: str = ""
    user_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RankedItem:
    """A candidate in its place.

    Attributes:
        item_id: the item.
        score: higher is better, comparable within one list; None where the catalogue does not know
            the item, which then comes last.
        contributions: what each feature added to the score, `bias` among them; empty unless asked
            for.
        values: what the ranker saw of each feature, NaN where it had no value.
    """

    item_id: str
    score: float | None
    contributions: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RankedList:
    """All candidates of a list, best first.

    Attributes:
        items: the candidates.
        schema_version: names the features that were read.
        skipped_item_ids: ids of the context that the snapshot does not know.
    """

    items: tuple[RankedItem, ...]
    schema_version: str = ""
    skipped_item_ids: tuple[str, ...] = ()

    @property
    def item_ids(self) -> list[str]:
        """Ids of the items, best first."""
        return [item.item_id for item in self.items]


@dataclass(frozen=True, slots=True)
class RankedLists:
    """Outcomes of a batch of lists, in their order.

    Attributes:
        outcomes: an order or an error for each list.
        snapshot_id: snapshot that answered.
        serving_config: serving config that answered.
        partial: the deadline passed and some lists were not ordered.
        experiment_label: `experiment/arm` that assigned the serving config; empty where none did.
    """

    outcomes: tuple[RankedList | EntryError, ...]
    snapshot_id: str
    serving_config: str
    partial: bool = False
    experiment_label: str = ""


def rerank_request(
    lists: Sequence[CandidateList], options: Options, *, contributions: bool = False
) -> pb.RerankRequest:
    """Ask for the order of candidates."""
    return pb.RerankRequest(
        call=call_message(options),
        contributions=contributions,
        requests=[_query(each) for each in lists],
    )


def ranked_lists(response: pb.RerankResponse) -> RankedLists:
    """Read the orders of a batch."""
    info = response.info
    return RankedLists(
        outcomes=tuple(
            entry_error(outcome.status) if outcome.HasField("status") else _ranked(outcome.ranked)
            for outcome in response.outcomes
        ),
        snapshot_id=info.snapshot_id,
        serving_config=info.serving_config,
        partial=info.partial,
        experiment_label=info.experiment_label,
    )


def _query(given: CandidateList) -> pb.RerankQuery:
    return pb.RerankQuery(
        candidates=[_candidate(each) for each in given.candidates],
        visits=visit_messages(given.visits),
        item_id=given.item_id,
        user_id=given.user_id,
    )


def _candidate(given: str | Candidate) -> pb.RerankCandidate:
    if isinstance(given, str):
        return pb.RerankCandidate(item_id=given)
    return pb.RerankCandidate(item_id=given.item_id, features=given.features)


def _ranked(message: pb.RankedItems) -> RankedList:
    return RankedList(
        items=tuple(_item(item) for item in message.items),
        schema_version=message.schema_version,
        skipped_item_ids=tuple(message.skipped_item_ids),
    )


def _item(message: pb.RankedItem) -> RankedItem:
    return RankedItem(
        item_id=message.item_id,
        score=None if message.unknown else message.score,
        contributions={each.feature: each.contribution for each in message.contributions},
        values={each.feature: each.value for each in message.contributions if each.feature != BIAS},
    )
