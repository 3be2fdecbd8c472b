"""Shoppers: their ids, vectors and what they took, memory-mapped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix, FloatVector, IntVector, check_matrix
from artifacts.errors import ArtifactError, DataError
from artifacts.ragged import Ragged
from artifacts.vocabulary import Vocabulary, write_vocabulary

VECTORS_NAME = "vectors.npy"
HISTORY = "history"
WEIGHTS_NAME = "history_weights.npy"


@dataclass(frozen=True, slots=True)
class UserTable:
    """The u users of the space `user`.

    Attributes:
        ids: user ids, sorted; a vocabulary of its own.
        vectors: (u, d) float32, to be multiplied with the item factors of the space.
        history: u lists of the item vocabulary rows that a user took in training, ascending.
        weights: (m,) float32, the summed weight of the events behind each entry of `history`.
    """

    ids: Vocabulary
    vectors: FloatMatrix
    history: Ragged
    weights: FloatVector

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dim(self) -> int:
        """Dimensions of every vector."""
        return int(self.vectors.shape[1])

    def row(self, user_id: str) -> int:
        """Return the row of a user, or -1 if training did not know them. Cost: O(1)."""
        return self.ids.row(user_id)

    def taken(self, row: int) -> tuple[IntVector, FloatVector]:
        """Return (items, weights) of the user at `row`: vocabulary rows, ascending. No copy."""
        start, end = self.history.offsets[row], self.history.offsets[row + 1]
        return self.history.values[start:end], self.weights[start:end]

    @classmethod
    def open(cls, folder: Path) -> "UserTable":
        """Map a table that `write_users` wrote.

        Raises:
            ArtifactError: a file is missing or unreadable, or the files disagree.
        """
        try:
            vectors = np.load(folder / VECTORS_NAME, mmap_mode="r")
            weights = np.load(folder / WEIGHTS_NAME, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{folder}: the users cannot be opened: {error}") from error
        table = cls(Vocabulary.open(folder), vectors, Ragged.open(folder, HISTORY), weights)
        if not len(table) == len(vectors) == len(table.history):
            raise ArtifactError(
                f"{folder}: {len(table)} ids, {len(vectors)} vectors, {len(table.history)} histories"
            )
        if len(weights) != len(table.history.values):
            raise ArtifactError(
                f"{folder}: {len(weights)} weights for {len(table.history.values)} items taken"
            )
        return table


def write_users(
    folder: Path,
    *,
    ids: Sequence[str],
    vectors: FloatMatrix,
    history: Ragged,
    weights: FloatVector,
) -> UserTable:
    """Write the users in row order, and open the result.

    Raises:
        DataError: the arrays disagree in length, a vector is not finite, or an id is empty or
            appears twice.
    """
    check_matrix(vectors, name="user vectors")
    if not len(ids) == len(vectors) == len(history) or len(weights) != len(history.values):
        raise DataError(
            f"users: {len(ids)} ids, {len(vectors)} vectors, {len(history)} histories of "
            f"{len(history.values)} items with {len(weights)} weights"
        )
    write_vocabulary(folder, ids)
    np.save(folder / VECTORS_NAME, vectors)
    history.save(folder, HISTORY)
    np.save(folder / WEIGHTS_NAME, weights)
    return UserTable.open(folder)
