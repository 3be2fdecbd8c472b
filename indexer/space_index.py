"""All indices of one space and relation, searched as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from artifacts.accuracy import Accuracy
from artifacts.arrays import FloatMatrix
from artifacts.errors import UnsupportedError
from artifacts.neighbors import PAD_SCORE, Neighbors
from artifacts.relation import Relation
from artifacts.snapshot import WHOLE_SPACE
from indexer.row_index import RowIndex


@dataclass(frozen=True, slots=True)
class SpaceIndex:
    """One index for the whole space, or one for each top category that has vectors.

    Attributes:
        space: name of the space.
        relation: what its neighbours mean.
        parts: indices by category; `*` alone where the space is whole.
    """

    space: str
    relation: Relation
    parts: Mapping[str, RowIndex]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts.values())

    @property
    def dim(self) -> int:
        """Dimensions of the queries."""
        return next(iter(self.parts.values())).index.dim

    @property
    def is_whole(self) -> bool:
        """Whether one index covers all categories."""
        return WHOLE_SPACE in self.parts

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that a search may be narrowed to; none where the space is whole."""
        return () if self.is_whole else tuple(self.parts)

    def search(
        self,
        queries: FloatMatrix,
        k: int,
        *,
        categories: Sequence[str] | None = None,
        accuracy: Accuracy = Accuracy.BALANCED,
    ) -> Neighbors:
        """Find the k best items for each query; see `indexer.index.Index.search`.

        Args:
            queries: (q, d) float32.
            k: neighbours wanted.
            categories: narrows the search, if the space is cut by category; None means all. A whole
                space cannot be narrowed and answers from all categories: the caller filters.
            accuracy: how much work to do, where the indices have levels.

        Raises:
            DataError: the queries break the rules of an index, or k < 1.
            UnsupportedError: a category has no index here.
        """
        found = [part.search(queries, k, accuracy) for part in self._chosen(categories)]
        return found[0] if len(found) == 1 else merge_best(found, len(queries), k)

    def _chosen(self, categories: Sequence[str] | None) -> list[RowIndex]:
        if categories is None or self.is_whole:
            return list(self.parts.values())
        distinct = dict.fromkeys(categories)
        unknown = [category for category in distinct if category not in self.parts]
        if unknown:
            raise UnsupportedError(
                f"space {self.space!r}, {self.relation}: no index for category {unknown[0]!r}"
            )
        return [self.parts[category] for category in distinct]


def merge_best(answers: Sequence[Neighbors], q: int, k: int) -> Neighbors:
    """Return the k best of several answers to the same q queries, ties by ascending row.

    The answers must have no row in common. Cost: O(q m log m), m being their total length.
    """
    empty = Neighbors.empty(q, k)  # as a further answer it makes sure of k columns
    rows = np.hstack([empty.rows, *(answer.rows for answer in answers)])  # (q, m)
    scores = np.hstack([empty.scores, *(answer.scores for answer in answers)])
    padding = scores == PAD_SCORE
    order = np.lexsort((rows, -scores, padding), axis=1)[:, :k]  # (q, k)
    return Neighbors(
        rows=np.take_along_axis(rows, order, axis=1),
        scores=np.take_along_axis(scores, order, axis=1),
    )
