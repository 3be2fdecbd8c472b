from indexer.precompute.block_store import STORES_NAME, BlockStores
from indexer.precompute.earlier_lists import EarlierLists
from indexer.precompute.engine import BlockEngine
from indexer.precompute.engine_choice import block_engine
from indexer.precompute.on_threads import OnThreads
from indexer.precompute.table import (
    ListsMeans,
    ListsRequest,
    PrecomputedLists,
    precompute_neighbors,
)

__all__ = [
    "BlockEngine",
    "BlockStores",
    "EarlierLists",
    "ListsMeans",
    "ListsRequest",
    "OnThreads",
    "PrecomputedLists",
    "STORES_NAME",
    "block_engine",
    "precompute_neighbors",
]
