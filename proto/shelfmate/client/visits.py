"""What shoppers did, as callers say it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from shelfmate.v1 import common_pb2, recommender_pb2

EventKind: TypeAlias = Literal["view", "cart", "purchase"]
Strategy: TypeAlias = Literal["aggregate", "interleave", "interests"]


@dataclass(frozen=True, slots=True)
class Visit:
    """Something that a shopper just did.

    Attributes:
        item_id: the item.
        kind: what was done with it.
        weight: multiplies the weight of the kind; negative ones push away from the item.
        at: when, with its time zone; None where the order of the visits is all that is known.
    """

    item_id: str
    kind: EventKind = "view"
    weight: float | None = None
    at: datetime | None = None


Visits: TypeAlias = Sequence[str | Visit]
"""Item ids, or visits that say more, oldest first."""


@dataclass(frozen=True, slots=True)
class Shopper:
    """A shopper to recommend for.

    Attributes:
        user_id: stable id.
        visits: oldest first, for a shopper that the server's snapshot does not know.
        exclude_history: leave out what the stored history holds.
    """

    user_id: str = field(repr=False)
    visits: Visits = ()
    exclude_history: bool = False


def session_query(visits: Visits) -> recommender_pb2.SessionQuery:
    """Ask for what belongs with visits."""
    return recommender_pb2.SessionQuery(visits=visit_messages(visits))


def user_query(shopper: str | Shopper) -> recommender_pb2.UserQuery:
    """Ask for what suits a shopper."""
    if isinstance(shopper, str):
        return recommender_pb2.UserQuery(user_id=shopper)
    return recommender_pb2.UserQuery(
        user_id=shopper.user_id,
        visits=visit_messages(shopper.visits),
        exclude_history=shopper.exclude_history,
    )


def visit_messages(visits: Visits) -> list[common_pb2.Visit]:
    """Return visits as the wire has them."""
    return [
        common_pb2.Visit(item_id=visit) if isinstance(visit, str) else _message(visit)
        for visit in visits
    ]


def _message(visit: Visit) -> common_pb2.Visit:
    kind = common_pb2.EventKind.Value(f"EVENT_KIND_{visit.kind.upper()}")
    message = common_pb2.Visit(item_id=visit.item_id, kind=kind, weight=visit.weight)
    if visit.at is not None:
        message.visited_at.FromDatetime(visit.at)
    return message
