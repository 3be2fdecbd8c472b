"""One immutable, checksummed set of everything that serving needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from artifacts.accuracy import Accuracy
from artifacts.als_terms import AlsTerms
from artifacts.anchors import AnchorTable, AnchorThresholds
from artifacts.catalog import Catalog
from artifacts.covisitation import COVISITATION, CovisitationTable
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ArtifactError
from artifacts.manifest import Json, Manifest, read_manifest, verify
from artifacts.neighbors import NeighborTable
from artifacts.popularity import PopularityTable
from artifacts.ranker import Ranker
from artifacts.recent_sessions import RECENT_SESSIONS, RecentSessions
from artifacts.relation import Relation
from artifacts.users import UserTable
from artifacts.vocabulary import Vocabulary

ITEMS_FOLDER = "items"
CATALOG_FOLDER = "catalog"
POPULARITY_FOLDER = "popularity"

WHOLE_SPACE = "*"
"""Category of an index that covers every category of its space."""


class SpaceEntry(BaseModel):
    """A space of the snapshot; its arrays lie in `spaces/<name>/`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    dim: int
    items: int
    asymmetric: bool
    lineage: Json


class IndexEntry(BaseModel):
    """An index of the snapshot. `folder` holds the index and `rows.npy`, its vocabulary rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: str
    relation: Relation
    category: str
    """Top category, or `*` for all of them."""
    folder: str
    kind: str
    """Name of the backend."""
    items: int
    recall: float | None = None
    """Measured against exact search when the index was built; None for exact indices."""
    visit_recall: float | None = None
    """The same over visits in place of items; None also where no item was visited."""
    fingerprint: str = ""
    """Name of all that the index depends on, but its category and the numbers of its rows."""
    levels: dict[Accuracy, Json] = {}
    """Search settings of each accuracy level; none where all levels search alike."""
    tuning: Json = {}
    """What was tried and why this was chosen, where the backend was found by measuring."""


class ListedPart(BaseModel):
    """How the lists of one index came about. An item may be removed from many lists."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: str
    """Name of all that the lists depend on, but the numbers of rows."""
    copied: bool = False
    """Whether they were taken from an earlier snapshot, where nothing they depend on has changed."""
    short: int = 0
    """Lists shorter than k although the index holds more than k items."""
    too_close_to_source: int = 0
    """Items removed because they are too much like the source."""
    too_close_to_better: int = 0
    """Items removed because they are too much like a better one of the list."""
    too_far: int = 0
    """Items removed because they are too little like the source."""


class NeighborsEntry(BaseModel):
    """A table of precomputed neighbours; its arrays lie in `folder`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: str
    relation: Relation
    folder: str
    items: int
    k: int
    parts: dict[str, ListedPart] = {}
    """By category of the index, `*` for the whole space."""


class BandsEntry(BaseModel):
    """What is too close or too far to be a neighbour, in one space and relation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: str
    relation: Relation
    settings: Json
    """Thresholds of the space and of single categories, and how many hits are looked at."""


class AnchorsEntry(BaseModel):
    """The anchors of the hybrid; their table lies in `folder`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: str
    """Space by which items are alike, such as `content`."""
    lists: str
    """Space whose lists are borrowed, such as `cf`; every anchor has a vector there."""
    folder: str
    items: int
    """Items that have at least one anchor, at whatever similarity."""
    anchors: int
    """Most anchors of one item."""
    thresholds: dict[str, AnchorThresholds]
    """By top category, every one of the catalogue."""
    indices: tuple[IndexEntry, ...]
    """One of the popular items of each category that has any, or one of the whole shop's."""


class UsersEntry(BaseModel):
    """The shoppers that the user space knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: str
    """Space whose item factors their vectors are multiplied with."""
    folder: str
    """Where their table lies."""
    fold_in: str
    """Folder of what the vectors of further shoppers are solved from."""
    users: int


class TableEntry(BaseModel):
    """A source of candidates that is no space; its files lie in `folder`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """`covisitation` or `sessions`."""
    folder: str
    lineage: Json


class RankerEntry(BaseModel):
    """The ranking model; its files lie in `folder`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    schema_version: int
    """Version of the code that computes what the model reads."""
    features: int
    lineage: Json


class SnapshotContents(BaseModel):
    """`details` of a snapshot's manifest: what there is and where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: int
    spaces: tuple[SpaceEntry, ...]
    indices: tuple[IndexEntry, ...]
    neighbors: tuple[NeighborsEntry, ...]
    quality: Json = {}
    """Offline evaluation of the model, as the trainer reported it."""
    gate: Json = {}
    """What the publishing gate measured and whether it passed."""
    anchors: AnchorsEntry | None = None
    """Absent where the shop has no hybrid."""
    bands: tuple[BandsEntry, ...] = ()
    """Those that the precomputed lists were made with; whoever lengthens a list applies them."""
    fingerprint: str = ""
    """Name of all that the snapshot was made from; its id ends with the first digits."""
    users: UsersEntry | None = None
    """Absent where no shoppers were learnt."""
    tables: tuple[TableEntry, ...] = ()
    """Those that were made."""
    ranker: RankerEntry | None = None
    """Absent where none was trained."""

    def table(self, name: str) -> TableEntry | None:
        """Return the entry of a table, or None where it was not made."""
        return next((entry for entry in self.tables if entry.name == name), None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot whose arrays are memory-mapped. Indices are opened by `indexer.open`."""

    path: Path
    manifest: Manifest
    contents: SnapshotContents
    items: Vocabulary
    catalog: Catalog
    popularity: PopularityTable
    spaces: Mapping[str, EmbeddingTable]
    neighbors: Mapping[tuple[str, Relation], NeighborTable]
    anchors: AnchorTable | None
    users: UserTable | None = None
    fold_in: AlsTerms | None = None
    covisitation: CovisitationTable | None = None
    recent_sessions: RecentSessions | None = None
    ranker: Ranker | None = None

    @property
    def id(self) -> str:
        """Name of the snapshot, as every response carries it."""
        return self.manifest.id

    @classmethod
    def open(cls, path: Path, *, check: bool = True) -> "Snapshot":
        """Map a snapshot, after comparing every file with its checksum.

        Args:
            path: folder of the snapshot.
            check: False skips the checksums, for a snapshot that this process has just verified.

        Raises:
            ArtifactError: the snapshot is missing, damaged, or of another format version.

        Cost: one sequential read of the folder, then nothing but page faults.
        """
        manifest = read_manifest(path, "snapshot")
        if check:
            verify(path, manifest)
        try:
            contents = SnapshotContents.model_validate(manifest.details)
        except ValidationError as error:
            raise ArtifactError(
                f"{path}: the manifest's details are not a snapshot's: {error}"
            ) from error
        anchors, users = contents.anchors, contents.users
        covisitation, sessions = contents.table(COVISITATION), contents.table(RECENT_SESSIONS)
        ranker = contents.ranker
        return cls(
            path=path,
            manifest=manifest,
            contents=contents,
            items=Vocabulary.open(path / ITEMS_FOLDER),
            anchors=AnchorTable.open(path / anchors.folder, contents.items) if anchors else None,
            catalog=Catalog.open(path / CATALOG_FOLDER),
            popularity=PopularityTable.open(path / POPULARITY_FOLDER),
            spaces={
                entry.name: EmbeddingTable.open(
                    path / "spaces" / entry.name, entry.name, entry.lineage
                )
                for entry in contents.spaces
            },
            neighbors={
                (entry.space, entry.relation): NeighborTable.open(path / entry.folder)
                for entry in contents.neighbors
            },
            users=UserTable.open(path / users.folder) if users else None,
            fold_in=AlsTerms.open(path / users.fold_in) if users else None,
            covisitation=CovisitationTable.map(path / covisitation.folder)
            if covisitation
            else None,
            recent_sessions=RecentSessions.map(path / sessions.folder) if sessions else None,
            ranker=Ranker.map(path / ranker.folder, ranker.lineage) if ranker else None,
        )
