"""A space cut into the parts that are indexed apart."""

from dataclasses import dataclass

import numpy as np

from artifacts.arrays import IntVector
from artifacts.catalog import Catalog
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.manifest import Json
from artifacts.snapshot import WHOLE_SPACE
from indexer.config import BackendConfig, ExactConfig, FaissConfig, SpaceIndexConfig
from indexer.target_config import TargetConfig

EXACT = ExactConfig().model_dump(mode="json")
SHAPES_NO_INDEX = {"space", "relations", "per_category", "exact_below", "neighbors", "bands"}
"""Settings of a space that say what is indexed and what is made of the indices."""


@dataclass(frozen=True, slots=True)
class Part:
    """Items that share an index.

    Attributes:
        category: a top category, or `*` for all of them.
        positions: (m,) int32, where the items stand in the embedding table, ascending, m >= 1.
    """

    category: str
    positions: IntVector

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, slots=True)
class Partition:
    """All parts of a space.

    Attributes:
        parts: disjoint, together the whole table, by name.
        without_vectors: categories of the catalogue of which the space knows no item.
    """

    parts: tuple[Part, ...]
    without_vectors: tuple[str, ...]


def partition(table: EmbeddingTable, catalog: Catalog, *, per_category: bool) -> Partition:
    """Cut a space by top category, or leave it whole.

    Raises:
        DataError: a category bears the name that is reserved for the whole space.

    Cost: O(n log n).
    """
    if WHOLE_SPACE in catalog.categories:
        raise DataError(f"catalogue: no category may be named {WHOLE_SPACE!r}; it means all items")
    codes = np.asarray(catalog.category_codes)[table.rows]  # (n,)
    sizes = np.bincount(codes, minlength=len(catalog.categories))
    without = tuple(catalog.categories[code] for code in np.flatnonzero(sizes == 0))
    if not per_category:
        everything = Part(WHOLE_SPACE, np.arange(len(table), dtype=np.int32))
        return Partition((everything,), without)
    by_code = np.argsort(codes, kind="stable").astype(np.int32)  # ascending within each code
    segments = np.split(by_code, np.cumsum(sizes)[:-1])
    parts = tuple(
        Part(category, segment)
        for category, segment in zip(catalog.categories, segments, strict=True)
        if len(segment)
    )
    return Partition(parts, without)


def backend_of(part: Part, config: SpaceIndexConfig) -> BackendConfig | TargetConfig:
    """Return what `part` is indexed with, exact search where it is small, or what is to be reached."""
    if len(part) < config.exact_below:
        return ExactConfig()
    return config.backend or config.target or FaissConfig()


def recipe_of(part: Part, config: SpaceIndexConfig) -> Json:
    """Return the settings that the index of `part` depends on.

    Every setting of a space counts that is not known to leave its indices as they are.
    """
    if len(part) < config.exact_below:
        return {"backend": EXACT}
    return config.model_dump(mode="json", exclude=SHAPES_NO_INDEX)
