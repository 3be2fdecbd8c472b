"""Stock, as those who know it say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shelfmate.v1 import admin_pb2


@dataclass(frozen=True, slots=True)
class StockChange:
    """What is known of one item's stock.

    Attributes:
        item_id: the item.
        available: whether it is in stock.
        at: since when, with its time zone; the newest change of an item wins.
    """

    item_id: str
    available: bool
    at: datetime


def stock_request(changes: Sequence[StockChange]) -> admin_pb2.UpdateAvailabilityRequest:
    """Tell of stock."""
    request = admin_pb2.UpdateAvailabilityRequest()
    for change in changes:
        message = request.changes.add(item_id=change.item_id, available=change.available)
        message.observed_at.FromDatetime(change.at)
    return request
