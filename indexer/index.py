"""The index contract: what every backend promises, and nothing more."""

from enum import StrEnum
from pathlib import Path
from typing import Protocol

from artifacts.arrays import FloatMatrix
from artifacts.neighbors import Neighbors
from artifacts.relation import Relation


class Metric(StrEnum):
    """What an index scores by."""

    COSINE = "cosine"
    INNER_PRODUCT = "inner_product"

    @classmethod
    def of(cls, relation: Relation) -> "Metric":
        """Return the metric that neighbours of `relation` are scored by."""
        return cls.COSINE if relation is Relation.ALTERNATIVES else cls.INNER_PRODUCT


class Index(Protocol):
    """Answers `search(queries, k)` over n vectors, numbered 0 .. n-1 in the order they were given.

    - Scores are exact similarities in the index's metric, whatever the backend estimates by:
      candidates are scored again, so all backends mean the same thing.
    - The query's own item is not removed, nothing is filtered: that is done once, outside.
    - Searching is safe from several threads at once and releases the GIL. Building is not safe.
    - An index built with one thread and a seed is byte-identical to the next one so built.
    """

    @property
    def dim(self) -> int:
        """Dimensions of the vectors."""
        ...

    def __len__(self) -> int:
        """Return the number of vectors."""
        ...

    def search(self, queries: FloatMatrix, k: int) -> Neighbors:
        """Find the k best vectors for each query.

        Args:
            queries: (q, d) float32, C-contiguous, finite; of any length, also for cosine. A zero
                query has cosine 0 with everything.
            k: neighbours wanted, >= 1; may exceed `len(self)`.

        Returns:
            (q, k) rows and scores, best first, ties by ascending row; where hits run out, row -1
            and score -inf.

        Raises:
            DataError: the queries break the rules above, or k < 1.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write the index into `folder`, from where `indexer.backends.load_index` maps it."""
        ...
