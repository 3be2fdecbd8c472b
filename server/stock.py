"""Stock as one worker keeps it: written to the host's store, and followed from there."""

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from artifacts.arrays import IntVector
from artifacts.errors import StorageError
from artifacts.vocabulary import Vocabulary
from retrieval.state import ServingState
from server.availability_store import AvailabilityStore, StockChange
from server.worker import Worker

logger = logging.getLogger(__name__)

POLL_S = 0.2
"""A change has to be in effect in all workers within a second."""

IDS_AT_ONCE = 1_000
"""Looked up in less than a millisecond."""

BREATH_S = 0.000_2


def bring_up_to_date(state: ServingState, store: AvailabilityStore) -> None:
    """Mark in a snapshot what has changed since it was last told.

    Raises:
        StorageError: the store cannot be read.
    """
    availability = state.availability
    news = store.since(availability.version)
    if news.version != availability.version:
        rows = _rows(state.snapshot.items, news.item_ids)
        flags = np.fromiter(news.available, dtype=np.bool_, count=len(news.available))
        availability.mark(rows, flags, version=news.version)


def _rows(items: Vocabulary, item_ids: Sequence[str]) -> IntVector:
    """Look up many ids, and let the event loop have the interpreter now and then."""
    parts = []
    for start in range(0, len(item_ids), IDS_AT_ONCE):
        parts.append(items.rows(item_ids[start : start + IDS_AT_ONCE]))
        time.sleep(BREATH_S)
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)


class Stock:
    """Follows the store for the snapshot in service.

    Args:
        store: shared by the workers of the host.
        worker: whose snapshot is marked.
    """

    def __init__(self, store: AvailabilityStore, worker: Worker) -> None:
        self.store = store
        self._worker = worker
        self._thread = ThreadPoolExecutor(1, "stock")
        self._failing = False

    async def update(self, changes: Sequence[StockChange]) -> int:
        """Keep changes, put them in effect here, and return how many were not older than known.

        Raises:
            StorageError: they cannot be kept; none of them is in effect.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._update, changes)

    async def follow(self) -> None:
        """Take in what other workers have written, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(POLL_S)
            await loop.run_in_executor(self._thread, self._refresh_quietly)

    def close(self) -> None:
        """Let go of the store once nothing follows it."""
        self._thread.submit(self.store.close)
        self._thread.shutdown(wait=True)

    def _update(self, changes: Sequence[StockChange]) -> int:
        applied = self.store.apply(changes)
        self._refresh()
        return applied

    def _refresh(self) -> None:
        if self._worker.activation is not None:
            bring_up_to_date(self._worker.activation.recommender.state, self.store)

    def _refresh_quietly(self) -> None:
        """Refresh; what is known goes on being served while the store cannot be read."""
        try:
            self._refresh()
        except StorageError as error:
            if not self._failing:  # once, not five times a second
                logger.error("stock not followed error=%s", error)
            self._failing = True
            return
        if self._failing:
            logger.info("stock followed again")
        self._failing = False
