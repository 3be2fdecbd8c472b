"""An index that answers in vocabulary rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from artifacts.accuracy import Accuracy
from artifacts.arrays import FloatMatrix, IntVector, map_array
from artifacts.errors import ArtifactError
from artifacts.manifest import Json
from artifacts.neighbors import PAD_ROW, Neighbors
from indexer.backends import load_index, parsed_search, with_search
from indexer.config import SearchConfig
from indexer.index import Index

ROWS_NAME = "rows.npy"


@dataclass(frozen=True, slots=True)
class RowIndex:
    """An index and the vocabulary rows of its vectors.

    Attributes:
        index: numbers its vectors 0 .. n-1.
        rows: (n,) int32 vocabulary rows, strictly ascending, so that ties stay in order.
        levels: the same index as it is searched at an accuracy level; `index` where one is missing.
    """

    index: Index
    rows: IntVector
    levels: Mapping[Accuracy, Index] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def search(
        self, queries: FloatMatrix, k: int, accuracy: Accuracy = Accuracy.BALANCED
    ) -> Neighbors:
        """Find the k best items for each query; see `indexer.index.Index.search`."""
        found = self.levels.get(accuracy, self.index).search(queries, k)
        rows = np.where(found.rows >= 0, self.rows[found.rows], np.int32(PAD_ROW))
        return Neighbors(rows=rows, scores=found.scores)

    def save(self, folder: Path) -> None:
        """Write the index and its rows into `folder`."""
        self.index.save(folder)
        np.save(folder / ROWS_NAME, self.rows)

    @classmethod
    def open(
        cls,
        folder: Path,
        search: SearchConfig | None = None,
        levels: Mapping[Accuracy, Json] | None = None,
    ) -> "RowIndex":
        """Map an index that `save` wrote.

        Args:
            folder: where it was saved.
            search: replaces the search half of the stored settings.
            levels: search settings by accuracy level, as a snapshot stores them.

        Raises:
            ArtifactError: files are missing, malformed, or disagree.
            ConfigError: `search` belongs to another backend.
        """
        index = load_index(folder, search)
        path = folder / ROWS_NAME
        rows = map_array(path)
        if len(rows) != len(index):
            raise ArtifactError(f"{path}: expected {len(index)} rows, got {len(rows)}")
        by_level = {
            level: with_search(index, parsed_search(index, settings))
            for level, settings in (levels or {}).items()
        }
        return cls(index, rows, by_level)
