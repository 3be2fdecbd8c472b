"""From a snapshot's id to a recommender that is fit to serve."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from artifacts.errors import ShelfmateError, SnapshotRefusedError
from artifacts.versions import VersionedRoot
from indexer.publish import check_allowed
from retrieval.config import RetrievalConfig
from retrieval.recommender import Recommender
from retrieval.state import ServingState, load_state
from server.availability_store import AvailabilityStore
from server.recorded_queries import RecordedQueries
from server.rehearsal import rehearse
from server.stock import bring_up_to_date
from server.worker import UNWATCHED

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SnapshotLoader:
    """Verifies, opens and warms snapshots; takes seconds, so never on the event loop.

    Attributes:
        snapshots: where they lie.
        configs: the named behaviours that a snapshot must be fit for.
        store: what is known of stock.
        recorded: what callers have asked lately.
        watched: puts something around a snapshot before it serves.
    """

    snapshots: VersionedRoot
    configs: RetrievalConfig
    store: AvailabilityStore
    recorded: RecordedQueries
    watched: Callable[[ServingState], ServingState] = UNWATCHED.watched

    def load(self, id: str) -> Recommender:
        """Return a recommender over a snapshot.

        Raises:
            ArtifactError: the snapshot is missing, damaged, or of another format version.
            ConfigError: a serving config names what the snapshot lacks.
            StorageError: what is known of stock cannot be read.
        """
        state = self.watched(load_state(self.snapshots.path(id)))
        bring_up_to_date(state, self.store)
        recommender = Recommender(state, self.configs)
        answered = rehearse(recommender, self.recorded.requests())
        logger.info("rehearsed snapshot=%s answers=%d", id, answered)
        return recommender

    def load_beside(self, id: str) -> Recommender:
        """Do what `load` does for a snapshot that is to replace one that serves well.

        Raises:
            SnapshotRefusedError: for whatever reason; the old one can go on.
        """
        try:
            check_allowed(self.snapshots, id)
            return self.load(id)
        except ShelfmateError as error:
            raise SnapshotRefusedError(f"snapshot {id} is refused: {error}") from error
        except Exception as error:
            logger.exception("snapshot fails for a bug snapshot=%s", id)
            raise SnapshotRefusedError(
                f"snapshot {id} is refused: {type(error).__name__} in opening or rehearsing it; "
                "the server's log has the details"
            ) from error
