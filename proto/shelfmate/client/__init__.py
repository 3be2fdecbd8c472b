from shelfmate.client.access import Access, Tls
from shelfmate.client.answers import (
    Answers,
    EntryError,
    Item,
    Recommendation,
    Recommendations,
    ServingStatus,
    UnusedAnchor,
)
from shelfmate.client.async_client import AsyncClient
from shelfmate.client.batches import in_async_batches, in_batches
from shelfmate.client.call_error import CallError
from shelfmate.client.client import Client
from shelfmate.client.requests import NewItem, Options
from shelfmate.client.visits import Shopper, Visit

__all__ = [
    "Access",
    "Answers",
    "AsyncClient",
    "CallError",
    "Client",
    "EntryError",
    "Item",
    "NewItem",
    "Options",
    "Recommendation",
    "Recommendations",
    "ServingStatus",
    "Shopper",
    "Tls",
    "UnusedAnchor",
    "Visit",
    "in_async_batches",
    "in_batches",
]
