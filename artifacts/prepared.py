"""What preparation hands to training: sessions, vocabulary and catalogue."""

from dataclasses import dataclass
from pathlib import Path

from artifacts.catalog import Catalog
from artifacts.manifest import Manifest, read_manifest
from artifacts.vocabulary import Vocabulary

ITEMS_FOLDER = "items"
CATALOG_FOLDER = "catalog"
TRAIN_NAME = "train_sessions.parquet"
HELDOUT_NAME = "heldout_sessions.parquet"


@dataclass(frozen=True, slots=True)
class Prepared:
    """One prepared data set.

    `train_sessions` and `heldout_sessions` are Parquet files, a row a session: session_id
    (string), user_id (string or null), started_at (timestamp or null), items (list of int32
    vocabulary rows, in order). Where kinds of event weigh differently there is also weights (list
    of float32, parallel to items).
    """

    path: Path
    manifest: Manifest
    items: Vocabulary
    catalog: Catalog

    @property
    def train_sessions(self) -> Path:
        """Sessions to learn from."""
        return self.path / TRAIN_NAME

    @property
    def heldout_sessions(self) -> Path:
        """Sessions to measure on; none of them is in the training part."""
        return self.path / HELDOUT_NAME

    @classmethod
    def open(cls, path: Path) -> "Prepared":
        """Map a prepared data set.

        Raises:
            ArtifactError: it is missing, of another format, or incomplete.
        """
        manifest = read_manifest(path, "prepared")
        return cls(
            path=path,
            manifest=manifest,
            items=Vocabulary.open(path / ITEMS_FOLDER),
            catalog=Catalog.open(path / CATALOG_FOLDER),
        )
