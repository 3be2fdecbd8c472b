"""A snapshot that is to be served and measured."""

from dataclasses import dataclass
from pathlib import Path

from artifacts.versions import VersionedRoot
from benchmarks.serving_host import HostSettings
from benchmarks.serving_requests import Asked
from retrieval.recommender import Recommender
from retrieval.state import load_state


@dataclass(frozen=True, slots=True)
class Served:
    """What is served, and what is asked of it.

    Attributes:
        settings: of the server.
        snapshot: folder of the snapshot in service.
        asked: questions about it; the snapshot is open here, too.
        work: folder for what measuring needs on the disk.
    """

    settings: HostSettings
    snapshot: Path
    asked: Asked
    work: Path

    @classmethod
    def open(cls, settings: HostSettings, work: Path) -> "Served":
        """Open the current snapshot.

        Raises:
            ArtifactError: there is none, or it is damaged.
            ConfigError: a serving config does not fit it.
        """
        snapshot = VersionedRoot(settings.snapshots).current(hint="shelfmate publish")
        work.mkdir(parents=True, exist_ok=True)
        asked = Asked(Recommender(load_state(snapshot), settings.retrieval))
        return cls(settings, snapshot, asked, work)
