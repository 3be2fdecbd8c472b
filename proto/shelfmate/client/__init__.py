from shelfmate.client.access import Access, Tls
from shelfmate.client.admin_answers import (
    Activated,
    RefusedSnapshot,
    ServingStatus,
    SnapshotInfo,
    SnapshotList,
    SpaceInfo,
    StockUpdate,
)
from shelfmate.client.admin_client import AdminClient
from shelfmate.client.answers import (
    Answers,
    EntryError,
    Item,
    Recommendation,
    Recommendations,
    UnusedAnchor,
)
from shelfmate.client.async_admin_client import AsyncAdminClient
from shelfmate.client.async_client import AsyncClient
from shelfmate.client.batches import in_async_batches, in_batches
from shelfmate.client.call_error import CallError
from shelfmate.client.client import Client
from shelfmate.client.ranking import (
    Candidate,
    CandidateList,
    RankedItem,
    RankedList,
    RankedLists,
)
from shelfmate.client.requests import NewItem, Options
from shelfmate.client.stock_change import StockChange
from shelfmate.client.visits import Shopper, Visit

__all__ = [
    "Access",
    "Activated",
    "AdminClient",
    "Answers",
    "AsyncAdminClient",
    "AsyncClient",
    "CallError",
    "Candidate",
    "CandidateList",
    "Client",
    "EntryError",
    "Item",
    "NewItem",
    "Options",
    "RankedItem",
    "RankedList",
    "RankedLists",
    "Recommendation",
    "Recommendations",
    "RefusedSnapshot",
    "ServingStatus",
    "Shopper",
    "SnapshotInfo",
    "SnapshotList",
    "SpaceInfo",
    "StockChange",
    "StockUpdate",
    "Tls",
    "UnusedAnchor",
    "Visit",
    "in_async_batches",
    "in_batches",
]
